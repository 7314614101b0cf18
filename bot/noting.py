"""Notes the questions that the articles could not answer, with those that ask the same."""

import logging
import sqlite3

from bot.desk import Desk
from bot.gaps import text_of
from bot.memory import Memory
from bot.shown import Shown
from rag.alike import judge
from rag.embed import Embedder
from rag.errors import YoujuError

_log = logging.getLogger(__name__)


def in_vain(shown: Shown) -> bool:
    """Whether an answer is a gap before anyone has judged it."""
    return shown.kind == "answer" and (shown.status == "refused" or shown.weak)


def note(memory: Memory, embedder: Embedder, ident: str, shown: Shown) -> None:
    """Note a question, in one thread, as the command line does."""
    model = judge(embedder)
    vector = model.embed_query(text_of(shown))
    memory.gaps.note(ident, shown, vector, model.fingerprint)


class Noting:
    """The same for a running bot. Nothing that goes wrong here disturbs an answer."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    async def answered(self, ident: str, shown: Shown) -> None:
        """An answer was given."""
        if in_vain(shown):
            await self.unhelpful(ident, shown)

    async def unhelpful(self, ident: str, shown: Shown) -> None:
        """An answer was found unhelpful, or is a gap as it stands."""
        try:
            await self._note(ident, shown)
        except (YoujuError, sqlite3.Error, RuntimeError) as error:  # the last: we are closing
            _log.warning("A question could not be noted: %s", error)

    async def _note(self, ident: str, shown: Shown) -> None:
        desk, gaps = self._desk, self._desk.memory.gaps
        model = await desk.read(judge, desk.service.embedder)
        vector = await desk.read(model.embed_query, text_of(shown))
        for row in await desk.remember(gaps.outdated, model.fingerprint):
            fresh = await desk.read(model.embed_query, row[1])
            await desk.remember(gaps.renew, [(row[0], fresh)], model.fingerprint)
        await desk.remember(gaps.note, ident, shown, vector, model.fingerprint)
