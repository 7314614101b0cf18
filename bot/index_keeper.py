"""The index that the bot answers from: built when there is none, rebuilt when a moderator says so.

One reindex runs at a time. It runs in a child process of the Service's; here it is only watched.
"""

import asyncio
import logging
import random
import threading
import time
from dataclasses import dataclass, field

from bot.desk import Desk
from bot.errors import AlreadyRunning
from bot.render import note_card
from bot.replies import Reply
from bot.texts import text
from rag.errors import YoujuError
from rag.result import Progress, ReindexReport

_log = logging.getLogger(__name__)
_BETWEEN = 1.5  # seconds between two edits of a note
_JITTER = 0.1  # of the time between two reindexes on schedule


@dataclass
class Job:
    """A reindex under way. `step` is written by the thread that listens to the child."""

    cancel: threading.Event = field(default_factory=threading.Event)
    step: Progress | None = None
    began: float = field(default_factory=time.monotonic)

    def note(self, step: Progress) -> None:
        self.step = step

    def told(self, language: str) -> str:
        """How far it is, in a sentence."""
        if self.step is None:
            return text(language, "reindex.starting")
        stage = text(language, f"reindex.stage_{self.step.stage}")
        return text(
            language, "reindex.progress", stage=stage, done=self.step.done, total=self.step.total,
            seconds=round(time.monotonic() - self.began), bar=_bar(self.step),
        )  # fmt: skip


class IndexKeeper:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._first: asyncio.Task[ReindexReport | None] | None = None
        self._schedule: asyncio.Task[None] | None = None
        self.job: Job | None = None
        self.cancelled = False

    def start(self, every: float = 0.0) -> None:
        """Build an index if one is needed, and again every so many seconds unless that is 0."""
        self.look_again()
        if every:
            self._schedule = asyncio.create_task(self._keep_up(every))

    def end(self) -> None:
        """No more reindexes on schedule."""
        if self._schedule is not None:
            self._schedule.cancel()

    def look_again(self) -> None:
        """Build an index if one is needed, in the background."""
        if self._first is None or self._first.done():
            self._first = asyncio.create_task(self._build_if_needed())
            self._first.add_done_callback(_logged)

    async def indexed(self, reply: Reply, language: str) -> None:
        """Wait until there is an index to answer from, saying so meanwhile."""
        task = self._first
        if task is None:
            return
        while not task.done():
            await asyncio.wait({task}, timeout=0.3)
            if task.done() or self.job is None:
                continue
            await reply.note(
                note_card(f"{text(language, 'reindex.first')}\n{self.job.told(language)}")
            )
            await asyncio.wait({task}, timeout=_BETWEEN)
        if (error := task.exception()) is not None:
            self._first = None
            self.look_again()  # the next question may find the articles mended
            raise error

    async def reindex(
        self, *, dry_run: bool = False, full: bool = False, force: bool = False
    ) -> ReindexReport:
        """Run a reindex; AlreadyRunning when one is."""
        if self.job is not None:
            raise AlreadyRunning
        self.job, self.cancelled = (job := Job()), False
        try:
            report = await self._desk.build(
                self._desk.service.reindex,
                dry_run=dry_run, full=full, force=force, progress=job.note, cancel=job.cancel,
            )  # fmt: skip
            self._desk.metrics.reindexed(report)
            return report
        except YoujuError as error:
            self._desk.metrics.reindexed(None, error)
            raise
        finally:
            self.job = None

    def cancel(self) -> None:
        if self.job is not None:
            self.job.cancel.set()
            self.cancelled = True

    async def _keep_up(self, every: float) -> None:
        """Reindex on schedule, not to the second, so that many bots do not read at one time."""
        while True:
            await asyncio.sleep(every * random.uniform(1 - _JITTER, 1 + _JITTER))
            try:
                report = await self.reindex()
                _log.info("Reindexed on schedule: %s.", _changes(report))
            except AlreadyRunning:
                _log.info("No reindex on schedule: one is running.")
            except YoujuError as error:
                _log.warning("The reindex on schedule failed: %s", error)
            except Exception:
                _log.exception("The reindex on schedule failed.")

    async def _build_if_needed(self) -> ReindexReport | None:
        reason = await self._desk.read(self._desk.service.index_needed)
        if reason is None:
            return None
        _log.info("%s Indexing …", reason)
        return await self.reindex()


def _changes(report: ReindexReport) -> str:
    found = report.articles
    if not (found.added or found.changed or found.removed):
        return "nothing has changed"
    return (
        f"{len(found.added)} added, {len(found.changed)} changed, {len(found.removed)} removed, "
        f"{len(found.failed)} failed, {report.seconds:.1f} s"
    )


def _bar(step: Progress) -> str:
    full = 10 if not step.total else round(10 * step.done / step.total)
    return "▰" * full + "▱" * (10 - full)


def _logged(task: "asyncio.Task[ReindexReport | None]") -> None:
    if task.cancelled():
        return
    if (error := task.exception()) is not None:
        if isinstance(error, YoujuError):
            _log.error("%s", error)
        else:
            _log.error("The first index could not be built.", exc_info=error)
