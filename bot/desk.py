"""Where the loop meets the threads: every blocking call of the bot goes through here.

Questions run in `workers` threads, which the line keeps from piling up. The memory has a thread of
its own, so that a button never waits behind a question. What else asks the Service (a search, a
trace, a status) runs in a third pool.
"""

import asyncio
import contextvars
import threading
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from typing import ParamSpec, TypeVar

from bot.language import language_for
from bot.memory import Memory
from bot.metrics import Metrics
from bot.settings import BotSettings
from bot.shown import Shown, shown_answer
from bot.waiting import Cooldown, WaitingLine
from rag.result import Variant
from rag.service import Service
from rag.variant import resolve

P = ParamSpec("P")
T = TypeVar("T")
_SCRIPTS: tuple[Variant, ...] = ("hant", "hans")


@dataclass(frozen=True, slots=True)
class Watch:
    """Who looks on while an answer is written: gets its drafts, may stop it. Used in the thread."""

    on_text: Callable[[str], None] | None = None
    stop: threading.Event | None = None


UNWATCHED = Watch()


class Desk:
    """The Service and the memory for a running bot, and who is served when."""

    def __init__(self, service: Service, memory: Memory, settings: BotSettings) -> None:
        self.service, self.memory, self.settings = service, memory, settings
        self.line = WaitingLine(
            settings.queue, settings.queue_per_person, settings.workers, settings.wait
        )
        self.cooldown = Cooldown(settings.cooldown_questions, settings.cooldown)
        self.metrics = Metrics()
        self.began = time.monotonic()
        self.seconds: deque[float] = deque(maxlen=500)
        self._answering = ThreadPoolExecutor(settings.workers, "answer")
        self._reading = ThreadPoolExecutor(settings.workers, "read")
        self._remembering = ThreadPoolExecutor(1, "memory")
        self._building = ThreadPoolExecutor(1, "build")

    async def answer(
        self, question: str, history: Sequence[str], choice: Variant | None, locale: str | None,
        watch: Watch = UNWATCHED,
    ) -> Shown:  # fmt: skip
        """Ask the Service, in a thread. The caller holds a turn of the line."""
        began = time.monotonic()
        work = _in_context(self._answer, question, tuple(history), choice, locale, watch)
        shown = await asyncio.get_running_loop().run_in_executor(self._answering, work)
        self.seconds.append(time.monotonic() - began)
        return shown

    def writes(self) -> bool:
        """Whether a language model writes the answers."""
        return self.service.author is not None

    def language(self, question: str, choice: Variant | None, locale: str | None) -> str:
        """That of the words around the answer that a question will get."""
        script = resolve(question, choice, locale, self.service.settings.variant)
        return language_for(script, choice, question, locale)

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Any other call of the Service, in a thread."""
        work = _in_context(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    async def remember(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call of the memory, in its thread."""
        work = _in_context(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._remembering, work)

    async def build(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A reindex or a rollback, in a thread; the work itself is a child process's."""
        work = _in_context(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._building, work)

    def close(self) -> None:
        """Let the threads go; a question that still runs is not waited for."""
        self._remembering.submit(self.memory.close)
        for pool in (self._answering, self._reading, self._remembering, self._building):
            pool.shutdown(wait=False)

    def _answer(
        self,
        question: str,
        history: tuple[str, ...],
        choice: Variant | None,
        locale: str | None,
        watch: Watch,
    ) -> Shown:
        answer = self.service.ask(
            question, history=history, variant=choice, locale=locale,
            on_text=watch.on_text, stop=watch.stop,
        )  # fmt: skip
        self.metrics.answered(answer)
        texts = {script: self.service.in_script(answer, script) for script in _SCRIPTS}
        language = language_for(answer.variant, choice, question, locale)
        return shown_answer(answer, texts, history, language)


def _in_context(call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> Callable[[], T]:
    """A call for a thread, which logs there with the id of the question that it serves."""
    return partial(contextvars.copy_context().run, call, *args, **kwargs)
