"""What is counted while the bot serves, in Prometheus' words. No label ever names a person."""

import asyncio
import time

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest

from rag.result import Answer, GenerationStatus, ReindexReport

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
_LAGS = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)
_LOOK_AT_LAG = 0.5  # seconds
_REASON = 60  # characters of a reason that become a label


class Metrics:
    """One registry for one bot, so that two in a process (the tests) do not meet."""

    def __init__(self) -> None:
        self.registry = registry = CollectorRegistry()
        self._questions = Counter(
            "youju_questions", "Questions by how they ended.", ["outcome"], registry=registry
        )
        self._stages = Histogram(
            "youju_stage_seconds",
            "Seconds of a question's stages: wait, retrieve, answer, show, whole.",
            ["stage"], buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self._queue = Gauge("youju_queue_waiting", "Questions that wait.", registry=registry)
        self._working = Gauge("youju_queue_working", "Questions being answered.", registry=registry)
        self._gateway = Gauge(
            "youju_gateway_latency_seconds", "Heartbeat to acknowledgement.", registry=registry
        )
        self._generation = Gauge(
            "youju_generation_info", "1 for the generation that serves.",
            ["generation", "built_at", "model"], registry=registry,
        )  # fmt: skip
        self._indexed = Gauge("youju_indexed", "What is indexed.", ["what"], registry=registry)
        self._reindexes = Counter(
            "youju_reindexes", "Reindexes by their result.", ["result"], registry=registry
        )
        self._reindex = Histogram(
            "youju_reindex_seconds", "Seconds of a reindex.",
            buckets=(1, 5, 15, 60, 300, 900, 3600), registry=registry,
        )  # fmt: skip
        self._calls = Counter("youju_llm_calls", "Calls of a language model.", registry=registry)
        self._tokens = Counter(
            "youju_llm_tokens", "Tokens of a language model.", ["kind"], registry=registry
        )
        self._degraded = Counter(
            "youju_llm_degraded", "Answers without a model or without vectors, by why.",
            ["reason"], registry=registry,
        )  # fmt: skip
        self._lag = Histogram(
            "youju_event_loop_lag_seconds", "How late the event loop comes back.",
            buckets=_LAGS, registry=registry,
        )  # fmt: skip

    # questions

    def answered(self, answer: Answer) -> None:
        """Count an answer, its stages, and what a language model had to do with it."""
        self._questions.labels(answer.status).inc()
        for stage in ("retrieve", "answer"):
            self._stages.labels(stage).observe(getattr(answer.timings, stage) / 1000)
        if answer.degraded is not None:
            self._degraded.labels(answer.degraded[:_REASON]).inc()
        if answer.usage is not None:
            self._calls.inc(answer.usage.calls)
            self._tokens.labels("prompt").inc(answer.usage.prompt_tokens)
            self._tokens.labels("completion").inc(answer.usage.completion_tokens)

    def failed(self, error: BaseException) -> None:
        """Count a question that was turned away or came to nothing, by the error's class."""
        self._questions.labels(type(error).__name__).inc()

    def took(self, stage: str, began: float) -> None:
        """A stage that began at a moment of `time.monotonic` has come to its end."""
        self._stages.labels(stage).observe(time.monotonic() - began)

    # the index

    def reindexed(self, report: ReindexReport | None, error: BaseException | None = None) -> None:
        """Count a reindex that was no dry run."""
        if error is not None:
            self._reindexes.labels(type(error).__name__).inc()
        elif report is not None and not report.dry_run:
            found = report.articles
            changed = found.added or found.changed or found.removed
            self._reindexes.labels("changed" if changed else "unchanged").inc()
            self._reindex.observe(report.seconds)

    # what is looked at when someone asks

    def look(
        self, waiting: int, working: int, latency: float, status: GenerationStatus | None
    ) -> None:
        """Note how things are now; `latency` is not a number before the first heartbeat."""
        self._queue.set(waiting)
        self._working.set(working)
        self._gateway.set(latency)
        self._generation.clear()
        if status is not None and status.generation is not None:
            built_at = status.built_at or ""
            self._generation.labels(status.generation, built_at, status.model).set(1)
            self._indexed.labels("articles").set(status.articles)
            self._indexed.labels("passages").set(status.passages)

    async def watch_lag(self) -> None:
        """Measure, until cancelled, how long the event loop is held up."""
        loop = asyncio.get_running_loop()
        while True:
            due = loop.time() + _LOOK_AT_LAG
            await asyncio.sleep(_LOOK_AT_LAG)
            self._lag.observe(max(0.0, loop.time() - due))

    def page(self) -> bytes:
        """Everything in Prometheus' text format."""
        return generate_latest(self.registry)
