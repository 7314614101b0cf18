"""The card of an answer that a language model still writes."""

from collections.abc import Iterator

from discord import ui

from bot.escape import line, plain, units
from bot.render import split_at_sentences
from bot.texts import text
from bot.views import DRAFT_ACCENT, Block, Row, Words, button, card

_ROOM = 3000  # units; a draft stays in one message, the final answer takes as many as it needs


def draft_card(written: str, question: str, language: str, stop: str) -> ui.LayoutView:
    """The draft of an answer, seen to be one; `stop` is the key of its button."""
    told = text(language, "draft.title" if written else "draft.writing")
    halt = button(text(language, "button.halt"), "stop", stop)
    blocks: list[Block] = [Words(f"-# ❯ {line(question, 160)}"), Words(f"-# ✍️ {told}")]
    return card(*blocks, *map(Words, _fitting(written)), Row([halt]), accent=DRAFT_ACCENT)


def _fitting(written: str) -> Iterator[str]:
    """The beginning of a draft, as far as one message holds it."""
    room = _ROOM
    for piece in split_at_sentences(written):
        shown = plain(piece).strip()
        room -= units(shown)
        if room < 0:
            yield "…"
            return
        if shown:
            yield shown
