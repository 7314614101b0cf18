"""What a language model may cost for one question, and what it has cost."""

import threading
import time

from rag.errors import LanguageModelFailed
from rag.result import Usage


class Budget:
    """One deadline for all calls of a question, its stop button, and its tokens.

    The clock starts with the first call: searching and importing are not the model's doing.
    """

    def __init__(self, seconds: float, stop: threading.Event | None = None) -> None:
        self._seconds, self._stop = seconds, stop or threading.Event()
        self._ends: float | None = None
        self.usage = Usage()

    def begin(self) -> None:
        """Start the clock, unless it runs."""
        if self._ends is None:
            self._ends = time.monotonic() + self._seconds

    def left(self) -> float:
        """Seconds until the deadline; negative after it."""
        return self._seconds if self._ends is None else self._ends - time.monotonic()

    def check(self) -> None:
        """Raises LanguageModelFailed("stopped") or ("timeout") when it is time to leave."""
        if self._stop.is_set():
            raise LanguageModelFailed("stopped")
        if self.left() <= 0:
            raise LanguageModelFailed("timeout")

    def wait(self, seconds: float) -> None:
        """Wait, unless the stop button is pressed before."""
        self._stop.wait(max(0.0, min(seconds, self.left())))
        self.check()

    def spend(self, prompt: int, completion: int, *, estimated: bool) -> None:
        """Count one call."""
        before = self.usage
        self.usage = Usage(
            before.prompt_tokens + prompt,
            before.completion_tokens + completion,
            before.calls + 1,
            before.estimated or estimated,
        )
