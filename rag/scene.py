"""What a reindex finds before it begins, and whether what serves can be built upon."""

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass

from rag.embed import Embedder
from rag.errors import BrokenGeneration
from rag.generation import Generation
from rag.order import Order
from rag.result import ArticleChanges, Listener, ReindexReport, Worse
from rag.shelf import Shelf

_log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Scene:
    """What a reindex finds before it begins."""

    order: Order
    shelf: Shelf
    before: Generation | None
    embedder: Embedder
    stamp: str
    fingerprints: Mapping[str, str]
    started: float
    tell: Listener

    @property
    def standing(self) -> bool:
        """Whether what serves was made by the same code, model and settings, and is undamaged."""
        before = self.before
        if before is None or before.manifest.fingerprints != self.fingerprints:
            return False
        return before.name == self.shelf.serving() and (
            self.order.dry_run or _sound(self.shelf, before)  # opening Chroma writes to its files
        )

    def report(
        self,
        name: str,
        found: ArticleChanges,
        passages: int,
        new: int,
        worse: tuple[Worse, ...] = (),
    ) -> ReindexReport:
        seconds = round(time.monotonic() - self.started, 3)
        return ReindexReport(name, found, passages, new, seconds, self.order.dry_run, worse)


def _sound(shelf: Shelf, generation: Generation) -> bool:
    if not shelf.whole(generation.name, thorough=True):
        return False
    try:
        generation.warm()
    except BrokenGeneration as error:
        _log.warning("%s", error)
        return False
    return True
