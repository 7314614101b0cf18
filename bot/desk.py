"""Where the loop meets the threads: every blocking call of the bot goes through here.

Questions run in `workers` threads, which the line keeps from piling up. The memory has a thread of
its own, so that a button never waits behind a question. What else asks the Service (a search, a
trace, a status) runs in a third pool.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import ParamSpec, TypeVar

from bot.language import language_for
from bot.memory import Memory
from bot.settings import BotSettings
from bot.shown import Shown, shown_answer
from bot.waiting import Cooldown, WaitingLine
from rag.result import Variant
from rag.service import Service

P = ParamSpec("P")
T = TypeVar("T")
_SCRIPTS: tuple[Variant, ...] = ("hant", "hans")


class Desk:
    """The Service and the memory for a running bot, and who is served when."""

    def __init__(self, service: Service, memory: Memory, settings: BotSettings) -> None:
        self.service, self.memory, self.settings = service, memory, settings
        self.line = WaitingLine(
            settings.queue, settings.queue_per_person, settings.workers, settings.wait
        )
        self.cooldown = Cooldown(settings.cooldown_questions, settings.cooldown)
        self.began = time.monotonic()
        self.seconds: deque[float] = deque(maxlen=500)
        self._answering = ThreadPoolExecutor(settings.workers, "answer")
        self._reading = ThreadPoolExecutor(settings.workers, "read")
        self._remembering = ThreadPoolExecutor(1, "memory")
        self._building = ThreadPoolExecutor(1, "build")

    async def answer(
        self, question: str, history: Sequence[str], choice: Variant | None, locale: str | None
    ) -> Shown:
        """Ask the Service, in a thread. The caller holds a turn of the line."""
        began = time.monotonic()
        work = partial(self._answer, question, tuple(history), choice, locale)
        shown = await asyncio.get_running_loop().run_in_executor(self._answering, work)
        self.seconds.append(time.monotonic() - began)
        return shown

    async def read(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Any other call of the Service, in a thread."""
        work = partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._reading, work)

    async def remember(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A call of the memory, in its thread."""
        work = partial(call, *args, **kwargs)
        return await asyncio.get_running_loop().run_in_executor(self._remembering, work)

    async def build(self, call: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """A reindex or a rollback, in a thread; the work itself is a child process's."""
        work = partial(call, *args, **kwargs)
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
    ) -> Shown:
        answer = self.service.ask(question, history=history, variant=choice, locale=locale)
        texts = {script: self.service.in_script(answer, script) for script in _SCRIPTS}
        language = language_for(answer.variant, choice, question, locale)
        return shown_answer(answer, texts, history, language)
