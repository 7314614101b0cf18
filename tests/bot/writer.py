"""A Service whose answers come as drafts first, at a pace that a test chooses."""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from rag.result import Answer
from rag.service import Service

SENTENCES = ("第一句已經寫好。", "第二句接著來。", "第三句也寫完了。")


class Writer:
    """The Service given, as if a model wrote: each draft `pace` seconds after the one before.

    `begun` are the questions whose writing has begun; `stopped` those that were stopped.
    """

    def __init__(
        self, service: Service, drafts: Sequence[str] | None = None, pace: float = 0.5
    ) -> None:
        self._service, self._pace = service, pace
        self._drafts = drafts or ["".join(SENTENCES[: n + 1]) for n in range(len(SENTENCES))]
        self.author = self
        self.begun: list[str] = []
        self.stopped: list[str] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def ask(
        self, question: str, *, on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None, **given: Any,
    ) -> Answer:  # fmt: skip
        answer = self._service.ask(question, **given)
        self.begun.append(question)
        for draft in self._drafts:
            if stop is not None and stop.wait(self._pace):
                self.stopped.append(question)
                return replace(answer, degraded="stopped")
            if stop is None:
                time.sleep(self._pace)
            if on_text is not None:
                on_text(draft)
        count = len(answer.citations)
        return replace(answer, engine="llm:scripted", verified=(count, count))
