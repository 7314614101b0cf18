"""The way of a draft from the thread that answers to a reply: the latest only, and not too often.

`on_text` comes in the answering thread, as often as the model likes. The loop edits the reply with
the latest text at most once in 1.2 s; what came meanwhile is left out, nothing queues. An edit
that fails is no more than a draft not shown.
"""

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from contextlib import suppress

import aiohttp
import discord
from discord import ui

from bot.desk import Watch
from bot.replies import Lost, Reply
from bot.sentence_ends import whole_sentences

_log = logging.getLogger(__name__)
_BETWEEN = 1.2  # seconds from one edit's end to the next edit, the final one too
_SILENCE = 1.5  # seconds without a sentence after which a reader is told that one is written
# Seconds for an edit under way before the final answer. discord.py waits out a rate limit within
# the edit, and where it is cancelled in that wait (up to 2 s) its lock may stay locked.
_GRACE, _LOOKS = 8.0, 16


class Drafting:
    """Shows the drafts of one answer. Used on the loop, but for `on_text`."""

    def __init__(
        self, reply: Reply, drawn: Callable[[str], ui.LayoutView], stop: threading.Event
    ) -> None:
        self._reply, self._drawn, self._stop = reply, drawn, stop
        self._loop = asyncio.get_running_loop()
        self._fresh, self._closed = asyncio.Event(), asyncio.Event()
        self._written, self._woken = "", False
        self._task: asyncio.Task[None] | None = None
        self._edited = -_BETWEEN

    def on_text(self, written: str) -> None:
        """The whole draft so far, from the answering thread."""
        self._written = written
        if self._woken:
            return  # the loop has not looked yet: it will find this text
        self._woken = True
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:  # the loop has been closed: nobody reads any more
            self._stop.set()

    def begin(self, written: bool = True) -> Watch:
        """Show drafts from now on, if answers are written; what the answering thread needs."""
        if written:
            self._closed.clear()
            self._task = asyncio.create_task(self._show())
        return Watch(self.on_text, self._stop)

    async def rest(self) -> None:
        """Begin no edit any more, and wait for the one under way."""
        self._closed.set()
        self._fresh.set()
        if self._task is None:
            return
        for _ in range(_LOOKS):  # by looks, so that a loop that was held up gives up no edit
            await asyncio.wait({self._task}, timeout=_GRACE / _LOOKS)
        if self._task.cancel():
            _log.warning("An edit of a draft took too long and was given up.")
            await asyncio.wait({self._task})
        elif (error := self._task.exception()) is not None:
            _log.error("The drafts of an answer were not shown.", exc_info=error)

    async def settle(self) -> None:
        """Wait until the final answer may take the draft's place."""
        await self.rest()
        if self._task is not None:
            await asyncio.sleep(self._edited + _BETWEEN - time.monotonic())

    async def note(self, view: ui.LayoutView) -> None:
        """Show something else in the reply, before the drafts."""
        await self._reply.note(view)
        self._edited = time.monotonic()

    def _wake(self) -> None:
        self._woken = False
        self._fresh.set()

    async def _show(self) -> None:
        shown: str | None = None
        while not self._closed.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(_SILENCE if shown is None else None):
                    await self._fresh.wait()
            await self._pause()
            self._fresh.clear()
            written = whole_sentences(self._written)
            if self._closed.is_set() or written == shown:
                continue
            if not await self._edit(written):
                return
            shown = written

    async def _pause(self) -> None:
        """Until the next edit may be made, or none any more."""
        with suppress(TimeoutError):
            async with asyncio.timeout(self._edited + _BETWEEN - time.monotonic()):
                await self._closed.wait()

    async def _edit(self, written: str) -> bool:
        """Whether another edit may be of use."""
        try:
            await self._reply.note(self._drawn(written))
        except Lost as lost:
            if isinstance(lost.__cause__, discord.NotFound | discord.Forbidden):
                self._stop.set()  # the message or its place is gone: nobody reads the answer
                return False
            _log.info("A draft was not shown: %s", lost)
        except (discord.DiscordException, aiohttp.ClientError, OSError) as error:
            _log.info("A draft was not shown: %s", error)
        finally:
            self._edited = time.monotonic()
        return True
