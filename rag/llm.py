"""A language model behind an OpenAI-compatible server: bounded, limited, left alone when it fails.

Nothing here is imported unless a model is configured, and llama_index only with the first call.
"""

import logging
import threading
from collections.abc import Iterator, Sequence
from typing import Any

from rag.errors import LanguageModelFailed
from rag.llm_breaker import Breaker
from rag.llm_budget import Budget
from rag.llm_exchange import Address, Piece, exchange
from rag.settings import Settings

_ATTEMPTS = 3
# Seconds before another attempt where the server does not say when; other failures stay.
_PAUSE = {"rate_limited": 1.0, "server_error": 0.5}
_LOOK = 0.05
_CHARACTERS_A_TOKEN = 1.5  # of Chinese, for servers that do not count
_MOST_CHARACTERS_A_TOKEN = 6  # a reply longer than its tokens allow comes from a broken server
_log = logging.getLogger(__name__)


class LanguageModel:
    """Writes text for messages. Safe to share between threads."""

    def __init__(self, settings: Settings) -> None:
        self.name = settings.llm_model
        secret = settings.llm_api_key.get_secret_value
        self._address = Address(settings.llm_base_url, settings.llm_model, secret)
        self._slots = threading.Semaphore(settings.llm_concurrency)
        self._breaker = Breaker()

    def write(self, messages: Sequence[Any], budget: Budget, most_tokens: int) -> Iterator[str]:
        """The reply as it is written; LanguageModelFailed as soon as it is no use to go on."""
        self._breaker.pass_through()
        _import_clients()
        budget.begin()
        for attempt in range(1, _ATTEMPTS + 1):
            begun = False
            try:
                for text in self._attempt(messages, budget, most_tokens):
                    begun = True
                    yield text
                self._breaker.succeeded()
                return
            except LanguageModelFailed as failed:
                self._breaker.failed(failed)
                _log.warning("The language model %s failed: %s", self.name, failed.reason)
                pause = failed.retry_after or _PAUSE.get(failed.reason)
                if begun or pause is None or pause >= budget.left() or attempt == _ATTEMPTS:
                    raise
                budget.wait(pause)

    def reply(self, messages: Sequence[Any], budget: Budget, most_tokens: int) -> str:
        """The whole reply."""
        return "".join(self.write(messages, budget, most_tokens))

    def _attempt(self, messages: Sequence[Any], budget: Budget, most_tokens: int) -> Iterator[str]:
        self._take_a_slot(budget)
        tally = _Tally(messages, most_tokens)
        try:
            for piece in exchange(
                self._address, messages, budget, most_tokens, self._slots.release
            ):
                tally.add(piece)
                if piece.text:
                    yield piece.text
            tally.check_end()
        finally:
            tally.settle(budget)

    def _take_a_slot(self, budget: Budget) -> None:
        while not self._slots.acquire(timeout=_LOOK):
            try:
                budget.check()
            except LanguageModelFailed as failed:
                busy = failed.reason == "timeout"  # not the server's fault: others were first
                raise LanguageModelFailed("busy" if busy else failed.reason) from None


def _import_clients() -> None:
    """Import what a call needs (seconds, once), so that no deadline pays for it."""
    import openai  # noqa: F401
    from llama_index.llms.openai_like import OpenAILike  # noqa: F401


class _Tally:
    """What one call has said and cost."""

    def __init__(self, messages: Sequence[Any], most_tokens: int) -> None:
        self._asked = sum(len(str(message.content or "")) for message in messages)
        self._room = most_tokens * _MOST_CHARACTERS_A_TOKEN
        self._written, self._finish = 0, ""
        self._counted: tuple[int, int] | None = None

    def add(self, piece: Piece) -> None:
        self._written += len(piece.text)
        self._finish = piece.finish or self._finish
        if piece.prompt_tokens is not None:
            self._counted = (piece.prompt_tokens, piece.completion_tokens or 0)
        if self._written > self._room:
            raise LanguageModelFailed("too_long")

    def check_end(self) -> None:
        if self._finish == "length":
            raise LanguageModelFailed("too_long")
        if self._finish == "content_filter":
            raise LanguageModelFailed("declined")
        if not self._written:
            raise LanguageModelFailed("empty")
        if not self._finish:
            raise LanguageModelFailed("truncated")

    def settle(self, budget: Budget) -> None:
        roughly = [round(n / _CHARACTERS_A_TOKEN) for n in (self._asked, self._written)]
        prompt, completion = self._counted or roughly
        budget.spend(prompt, completion, estimated=self._counted is None)
