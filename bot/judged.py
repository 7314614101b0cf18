"""Answers that people judged: what was asked, what was said, and why it did not help."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.shown import Shown

Do = Callable[[str, Sequence[Any] | Mapping[str, Any]], list[Any]]

REASONS = ("wrong", "incomplete", "sources", "wording", "other")
_JUDGED = """
FROM (SELECT answer, sum(helpful) AS good, sum(1 - helpful) AS bad, max(at) AS at
    FROM feedback GROUP BY answer) v
JOIN answers a ON a.id = v.answer LEFT JOIN asked k ON k.answer = v.answer
WHERE (:guild IS NULL OR k.guild = :guild) AND v.at >= :since AND (:private OR NOT k.private)
    AND (:helpful IS NULL OR (:helpful AND v.good > 0) OR (NOT :helpful AND v.bad > 0))
"""


@dataclass(frozen=True, slots=True)
class Reason:
    """Why an answer did not help: one of REASONS, and what the person wrote."""

    kind: str
    words: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """A judged answer. `at` is that of the last judgement, in seconds since 1970."""

    id: str
    at: float
    helpful: int
    unhelpful: int
    reasons: tuple[Reason, ...]
    shown: Shown

    def form(self) -> dict[str, Any]:
        shown = self.shown
        return {
            "id": self.id,
            "at": self.at,
            "question": shown.question,
            "history": list(shown.history),
            "status": shown.status,
            "answer": shown.text,
            "quotes": [citation.quote for citation in shown.citations],
            "helpful": self.helpful,
            "unhelpful": self.unhelpful,
            "reasons": [{"kind": reason.kind, "words": reason.words} for reason in self.reasons],
        }


class Judged:
    """Reads the memory's judgements; `do` runs a statement of the memory's."""

    def __init__(self, do: Do) -> None:
        self._do = do

    def count(self, helpful: bool | None = None, guild: int | None = None) -> int:
        """How many answers were judged; only those that someone found (un)helpful."""
        values = _values(helpful, guild)
        return int(self._do(f"SELECT count(*) {_JUDGED}", values)[0][0])

    def listed(
        self, helpful: bool | None = None, guild: int | None = None, *,
        most: int = -1, skip: int = 0, since: float = 0.0, private: bool = True,
        worst: bool = False,
    ) -> list[Verdict]:  # fmt: skip
        """Judged answers, the last judged first; `worst`: the most often unhelpful first."""
        order = "v.bad - v.good DESC, v.at DESC" if worst else "v.at DESC"
        query = f"SELECT a.id, v.at, v.good, v.bad, a.shown {_JUDGED} ORDER BY {order}"
        values = _values(helpful, guild) | {"since": since, "private": private}
        rows = self._do(f"{query} LIMIT :most OFFSET :skip", values | {"most": most, "skip": skip})
        return [self._verdict(row) for row in rows]

    def one(self, ident: str, guild: int | None = None) -> Verdict | None:
        """A judged answer by its id."""
        values = _values(None, guild) | {"id": ident}
        query = f"SELECT a.id, v.at, v.good, v.bad, a.shown {_JUDGED} AND a.id = :id"
        rows = self._do(query, values)
        return self._verdict(rows[0]) if rows else None

    def _verdict(self, row: Sequence[Any]) -> Verdict:
        ident, at, good, bad, shown = row
        return Verdict(ident, at, good, bad, self._reasons(ident), Shown.from_json(shown))

    def _reasons(self, ident: str) -> tuple[Reason, ...]:
        query = "SELECT reason FROM feedback WHERE answer = ? AND helpful = 0 ORDER BY at"
        return tuple(_reason(told) for (told,) in self._do(query, (ident,)) if told)


def _values(helpful: bool | None, guild: int | None) -> dict[str, Any]:
    return {"helpful": helpful, "guild": guild, "since": 0.0, "private": True}


def _reason(told: str) -> Reason:
    """As the form of the bot put it together: "kind" or "kind: words"."""
    kind, _, words = told.partition(": ")
    return Reason(kind, words) if kind in REASONS else Reason("other", told)
