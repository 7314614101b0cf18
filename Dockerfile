# Two stages: the first installs, the second carries only what runs. No network is needed at start.
FROM python:3.12-slim AS build
WORKDIR /app
RUN python -m venv /venv
COPY pyproject.toml constraints.txt README.md ./
COPY bot bot
COPY rag rag
COPY corpus corpus
COPY prompts prompts
# Give the address of a CPU build of torch as PIP_EXTRA_INDEX_URL to save several gigabytes.
ARG PIP_EXTRA_INDEX_URL=
RUN /venv/bin/pip install --no-cache-dir --constraint constraints.txt .

FROM python:3.12-slim
RUN useradd --create-home --uid 10001 youju && mkdir /data && chown youju /data
COPY --from=build /venv /venv
ENV PATH=/venv/bin:$PATH PYTHONUNBUFFERED=1 YOUJU_DATA_DIR=/data HF_HUB_OFFLINE=1
USER youju
WORKDIR /home/youju
VOLUME /data
# The articles and the index are checked as a person would: `youju doctor` exits with 0.
HEALTHCHECK --interval=5m --timeout=60s --start-period=60s CMD ["youju", "doctor"]
ENTRYPOINT ["youju"]
CMD ["bot"]
