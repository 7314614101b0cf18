# Sets up `.venv` once and again only when the pins change. See README.md.
PYTHON ?= $(shell for p in python3.13 python3.12 python3.11 python3; do \
	$$p -c 'import sys; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 13))' 2>/dev/null \
	&& echo $$p && break; done)
BIN := .venv/bin
READY := .venv/.ready-$(shell cat pyproject.toml constraints.txt | cksum | cut -d' ' -f1)

.PHONY: ask bot test check bench setup clean
.DEFAULT_GOAL := help

help:
	@echo 'make ask Q="..."   ask the articles'
	@echo 'make bot           serve Discord (needs DISCORD_TOKEN)'
	@echo 'make test          run the tests'
	@echo 'make check         formatting, types, layers'
	@echo 'make bench         youju and stock LlamaIndex side by side (an hour or more)'

ask: $(READY)
	@test -n "$$Q" || { echo 'make ask Q="your question"' >&2; exit 2; }
	@$(BIN)/youju ask -- "$$Q"

bot: $(READY)
	@$(BIN)/youju bot

test: $(READY)
	@$(BIN)/python -m pytest

check: $(READY)
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports

# BENCH takes flags, such as BENCH="--sizes 300,1000 --runs 3".
bench: $(READY)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[bench]'
	@$(BIN)/python -m benchmarks.compare $(BENCH)

setup: $(READY)

$(READY):
	@test -n "$(PYTHON)" || { echo 'Python 3.11, 3.12 or 3.13 is needed.' >&2; exit 1; }
	@echo 'Setting up .venv with $(PYTHON); this takes a few minutes the first time.' >&2
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check \
		--constraint constraints.txt --editable '.[dev]'
	@rm -f .venv/.ready-*
	@touch $@

clean:
	rm -rf .venv data build ./*.egg-info
