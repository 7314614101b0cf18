# Two stages: the first installs, the second carries only what runs. No network is needed at start:
# models, articles and terms are part of the package.
#
#   docker build -t youju .
#   docker run --rm -v youju:/data youju ask "什麼是 sandbagging？"
#   docker run -v youju:/data -e DISCORD_TOKEN youju
#
# docs/RUNNING.md says how these steps were checked without a Docker engine.
FROM python:3.11-slim-bookworm AS build
WORKDIR /app
RUN python3 -m venv /venv
# torch is pinned; from its default place it brings several gigabytes for GPUs. Give the address of
# its CPU builds: --build-arg PIP_EXTRA_INDEX_URL=...
ARG PIP_EXTRA_INDEX_URL=
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY rag rag
COPY corpus corpus
COPY prompts prompts
RUN /venv/bin/pip install --no-cache-dir --disable-pip-version-check --constraint constraints.txt .

FROM python:3.11-slim-bookworm
RUN useradd --create-home --uid 10001 youju && mkdir /data && chown youju:youju /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    YOUJU_DATA_DIR=/data \
    YOUJU_DISCORD_METRICS_PORT=9464 \
    HF_HUB_OFFLINE=1
USER youju
WORKDIR /home/youju
VOLUME /data
# Of the bot: /healthz answers while its event loop does. A container of `ask` is gone before.
HEALTHCHECK --interval=30s --timeout=5s --start-period=60s \
    CMD ["python3", "-c", "import urllib.request as r; r.urlopen('http://127.0.0.1:9464/healthz', timeout=4)"]
ENTRYPOINT ["youju"]
CMD ["bot"]
