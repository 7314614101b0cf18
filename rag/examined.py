"""One question of an evaluation, with all that a report of it needs; and figures over many."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from rag.answer import Draft
from rag.content import Content
from rag.index_text import heading_of
from rag.result import Hit

_SHOWN = 5  # passages kept of each question
_EXCERPT = 160  # characters kept of each
_STEPS = 41  # thresholds of a curve, from 0 to 1


@dataclass(frozen=True, slots=True)
class Shown:
    """A retrieved passage as a report shows it; `gold` when it is what was wanted."""

    title: str
    heading: str
    text: str
    score: float
    lexical: float | None
    dense: float | None
    gold: bool


@dataclass(frozen=True, slots=True)
class Examined:
    """What was found, said and cited. Ranks count from 1; None is not found.

    `fine` says whether the outcome is right (an answer, or a refusal of what must be refused);
    `right` whether the answer is right if nothing were refused, None for what must be refused.
    `verbatim` counts the citations whose quote is `text[start:end]` of the stored article.
    """

    id: str
    question: str
    variant: str
    kind: str
    to_refuse: bool
    rank: int | None
    legs: Mapping[str, int | None]
    status: str
    support: float
    fine: bool
    right: bool | None
    answer: str
    milliseconds: float
    citations: int
    verbatim: int
    hits: tuple[Shown, ...]

    def form(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_form(cls, form: Mapping[str, Any]) -> "Examined":
        return cls(**{**form, "hits": tuple(Shown(**hit) for hit in form["hits"])})


def shown(hits: Sequence[Hit], gold: Callable[[Hit], bool]) -> tuple[Shown, ...]:
    """The best passages, shortened."""
    return tuple(
        Shown(
            hit.article.title,
            heading_of(hit.article, hit.passage) or "",
            hit.passage.text[:_EXCERPT],
            round(hit.score, 4),
            _rounded(hit.lexical),
            _rounded(hit.dense),
            gold(hit),
        )
        for hit in hits[:_SHOWN]
    )


def verbatim(content: Content, draft: Draft) -> int:
    """How many citations stand in the stored text where they say they stand."""
    return sum(
        content.text(citation.hit.article.id)[citation.start : citation.end] == citation.quote
        for citation in draft.citations
    )


# Figures over many.


def ranking(examined: Iterable[Examined], leg: str | None = None) -> dict[str, float | None]:
    """hit@1, @3, @5 and MRR of what is to be answered, fused or of one leg."""
    ranks = [e.legs.get(leg) if leg else e.rank for e in examined if not e.to_refuse]
    return {
        **{f"hit@{k}": share(r is not None and r <= k for r in ranks) for k in (1, 3, 5)},
        "mrr": share(1 / r if r else 0.0 for r in ranks),
    }


def quality(examined: Iterable[Examined]) -> dict[str, float | None]:
    """How answers and refusals turn out."""
    examined = list(examined)
    answerable = [e for e in examined if not e.to_refuse]
    return {
        "right and answered": share(e.fine for e in answerable),
        "over-refused": share(e.status == "refused" for e in answerable),
        "refused or put right": share(e.fine for e in examined if e.to_refuse),
        "verbatim citations": share_of_citations(examined),
    }


def share_of_citations(examined: Iterable[Examined]) -> float | None:
    """The share of citations that are verbatim; None without a citation."""
    counted = [(e.verbatim, e.citations) for e in examined]
    total = sum(citations for _, citations in counted)
    return sum(exact for exact, _ in counted) / total if total else None


@dataclass(frozen=True, slots=True)
class Curve:
    """At each threshold, shares of 1: what is refused rightly, refused wrongly, answered right."""

    thresholds: tuple[float, ...]
    rejected: tuple[float | None, ...]
    over_refused: tuple[float | None, ...]
    right: tuple[float | None, ...]


def curve(examined: Sequence[Examined]) -> Curve:
    """What other values of YOUJU_SUPPORT would have done with the same questions."""
    answerable = [e for e in examined if not e.to_refuse]
    unanswerable = [e for e in examined if e.to_refuse]
    steps = tuple(round(float(t), 3) for t in np.linspace(0.0, 1.0, _STEPS))
    return Curve(
        steps,
        tuple(share(e.support < t for e in unanswerable) for t in steps),
        tuple(share(e.support < t for e in answerable) for t in steps),
        tuple(share(e.support >= t and bool(e.right) for e in answerable) for t in steps),
    )


def latencies(examined: Iterable[Examined]) -> dict[str, float]:
    """Percentiles of a whole answer, in milliseconds."""
    times = [e.milliseconds for e in examined] or [0.0]
    found = np.percentile(times, [50, 90, 95, 99, 100])
    names = ("p50", "p90", "p95", "p99", "most")
    return {name: round(float(value), 2) for name, value in zip(names, found, strict=True)}


def worst(examined: Iterable[Examined], most: int = 30) -> list[Examined]:
    """What went wrong, the most confident mistake first."""
    wrong = [e for e in examined if not e.fine]
    return sorted(wrong, key=lambda e: -abs(e.support - 0.5))[:most]


def share(values: Iterable[float]) -> float | None:
    """The mean; None over nothing, for 0 would look like a failure."""
    values = [float(value) for value in values]
    return round(float(np.mean(values)), 4) if values else None


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
