"""A judged answer becomes a golden question, beside the articles."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.judged import Verdict
from rag.errors import NoQuote
from rag.golden import Row, add_golden, check_quotes, golden_row
from rag.service import Service


@dataclass(frozen=True, slots=True)
class Golden:
    """What was written, and where."""

    row: Row
    path: Path


def promote(
    service: Service, verdict: Verdict, quotes: Sequence[str] = (), *, refuse: bool = False
) -> Golden:
    """Write a golden question from a judged answer.

    `quotes` say what is right, `refuse` that the articles do not answer it. Without either an
    answer that more people found helpful than not stands as it was given; any other raises
    NoQuote. Raises QuoteNotFound, DuplicateGolden and NoPlaceForGolden as well.
    """
    shown = verdict.shown
    chosen = () if refuse else tuple(quotes) or _as_given(verdict)
    with service.store.lease() as generation:
        paths = check_quotes(generation, chosen)
    article = Path(paths[0]).stem if len(set(paths)) == 1 else "both"
    row = golden_row(f"f-{verdict.id}", shown.question, shown.history, chosen, article)
    return Golden(row, add_golden(service.settings, row))


def _as_given(verdict: Verdict) -> tuple[str, ...]:
    if verdict.helpful <= verdict.unhelpful:
        raise NoQuote
    return tuple(citation.quote for citation in verdict.shown.citations)
