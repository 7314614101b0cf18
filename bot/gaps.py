"""What the articles could not answer: questions by what they ask, counted, with their state.

A question is a gap when it was refused, when its answer was hardly supported and nobody found it
helpful, or when someone found it unhelpful. It lies beside its answer and goes with it, by
`/forget` or by age. A cluster has no words of its own: it is gone with its last question.
"""

import json
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

import numpy as np
from numpy.typing import NDArray

from bot.shown import Shown
from rag.alike import group_of
from rag.question import clean_history, with_history

State = Literal["open", "answered", "ignored"]
STATES: tuple[State, ...] = get_args(State)
Do = Callable[[str, Sequence[Any] | Mapping[str, Any]], list[Any]]
Vector = NDArray[np.float32]

SCHEMA = """
CREATE TABLE IF NOT EXISTS clusters (
    id INTEGER PRIMARY KEY AUTOINCREMENT, state TEXT NOT NULL DEFAULT 'open', changed REAL);
CREATE TABLE IF NOT EXISTS gaps (
    answer TEXT PRIMARY KEY REFERENCES answers ON DELETE CASCADE, cluster INTEGER NOT NULL,
    question TEXT NOT NULL, nearest TEXT NOT NULL, vector BLOB NOT NULL, model TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS gaps_by_cluster ON gaps (cluster);
"""
_WORDINGS = 3  # other wordings that are shown
_NEAREST, _EXCERPT = 3, 120
_LONGEST = 2000
_ROWS = """
SELECT g.cluster, c.state, a.at, a.status, coalesce(v.bad, 0), a.person, g.question, g.nearest
FROM gaps g JOIN clusters c ON c.id = g.cluster JOIN answers a ON a.id = g.answer
LEFT JOIN asked k ON k.answer = g.answer
LEFT JOIN (SELECT answer, sum(helpful) AS good, sum(1 - helpful) AS bad
    FROM feedback GROUP BY answer) v ON v.answer = g.answer
WHERE (a.status = 'refused' OR v.bad > 0 OR (k.weak AND coalesce(v.good, 0) = 0))
    AND (:guild IS NULL OR k.guild = :guild) AND a.at >= :since AND (:private OR NOT k.private)
ORDER BY a.at DESC, a.rowid DESC
"""


@dataclass(frozen=True, slots=True)
class Near:
    """A passage that was found for a question, though it does not answer it."""

    title: str
    heading: str
    path: str
    excerpt: str


@dataclass(frozen=True, slots=True)
class Gap:
    """Questions that ask the same. `question` is the latest, `first` and `last` seconds since 1970.

    `refused`, `weak` and `unhelpful` count the questions by what became of them; `people` counts
    who asked.
    """

    number: int
    state: State
    question: str
    wordings: tuple[str, ...]
    count: int
    people: int
    refused: int
    weak: int
    unhelpful: int
    first: float
    last: float
    nearest: tuple[Near, ...]

    def form(self) -> dict[str, Any]:
        return asdict(self)


class Gaps:
    """The tables above; `do` runs a statement of the memory's."""

    def __init__(self, do: Do) -> None:
        self._do = do
        self._seen: _Seen | None = None

    def note(self, ident: str, shown: Shown, vector: Vector, model: str) -> int | None:
        """Put a question with those that ask the same; None when it lies with them already.

        Asked again after its cluster was marked answered, it opens the cluster again; an ignored
        cluster stays ignored.
        """
        answers = self._do("SELECT at FROM answers WHERE id = ?", (ident,))
        if not answers or self._do("SELECT 1 FROM gaps WHERE answer = ?", (ident,)):
            return None
        seen = self._seen_by(model)
        cluster = group_of(vector, seen.vectors, seen.clusters) or self._new()
        values = (ident, cluster, text_of(shown), _nearest(shown), _packed(vector), model)
        self._do("INSERT OR IGNORE INTO gaps VALUES (?, ?, ?, ?, ?, ?)", values)
        self._seen = seen.joined(vector, cluster)
        reopen = "UPDATE clusters SET state = 'open' WHERE id = ? AND state = 'answered'"
        self._do(f"{reopen} AND changed < ?", (cluster, answers[0][0]))
        return cluster

    def listed(
        self, state: State | None = None, guild: int | None = None, *,
        since: float = 0.0, private: bool = True,
    ) -> list[Gap]:  # fmt: skip
        """The gaps of one server or of all, most asked first, then the latest.

        `private` False leaves out what was asked for the asker's eyes only.
        """
        found: dict[int, list[Any]] = {}
        for row in self._do(_ROWS, {"guild": guild, "since": since, "private": private}):
            if state in (None, row[1]):
                found.setdefault(row[0], []).append(row)
        gaps = [_gap(number, rows) for number, rows in found.items()]
        return sorted(gaps, key=lambda gap: (-gap.count, -gap.last))

    def mark(self, number: int, state: State, guild: int | None = None) -> bool:
        """Set the state of a gap; False when there is none of this number (any more)."""
        there = any(gap.number == number for gap in self.listed(guild=guild))
        if there:
            values = (state, time.time(), number)
            self._do("UPDATE clusters SET state = ?, changed = ? WHERE id = ?", values)
        return there

    def outdated(self, model: str, most: int = 200) -> list[tuple[str, str]]:
        """Some answers whose questions were compared by another model, with their words."""
        query = "SELECT answer, question FROM gaps WHERE model != ? LIMIT ?"
        return self._do(query, (model, most))

    def renew(self, vectors: Iterable[tuple[str, Vector]], model: str) -> None:
        """Store vectors of another model; clusters stay as they are."""
        self._seen = None
        for ident, vector in vectors:
            values = (_packed(vector), model, ident)
            self._do("UPDATE gaps SET vector = ?, model = ? WHERE answer = ?", values)

    def tidy(self) -> None:
        """Remove clusters that have lost their last question."""
        self._seen = None
        self._do("DELETE FROM clusters WHERE id NOT IN (SELECT cluster FROM gaps)", ())

    def _seen_by(self, model: str) -> "_Seen":
        """What questions are compared with; read anew when another process has written."""
        version = int(self._do("PRAGMA data_version", ())[0][0])
        if self._seen is None or (self._seen.version, self._seen.model) != (version, model):
            rows = self._do("SELECT cluster, vector FROM gaps WHERE model = ?", (model,))
            stored = np.frombuffer(b"".join(row[1] for row in rows), dtype="<f4")
            vectors = stored.reshape(len(rows), -1) if rows else stored.reshape(0, 1)
            self._seen = _Seen(version, model, vectors, np.array([row[0] for row in rows], int))
        return self._seen

    def _new(self) -> int:
        return int(self._do("INSERT INTO clusters DEFAULT VALUES RETURNING id", ())[0][0])


@dataclass(frozen=True, slots=True)
class _Seen:
    """The vectors of all questions, shape (questions, dimensions), and their clusters in step.

    Kept between two questions: reading 10,000 of them takes 50 ms. `version` is SQLite's count of
    what other connections have written.
    """

    version: int
    model: str
    vectors: Vector
    clusters: NDArray[np.int64]

    def joined(self, vector: Vector, cluster: int) -> "_Seen":
        rows = self.vectors if len(self.vectors) else self.vectors.reshape(0, len(vector))
        vectors, clusters = np.vstack([rows, vector]), np.append(self.clusters, cluster)
        return _Seen(self.version, self.model, vectors, clusters)


def text_of(shown: Shown) -> str:
    """What was asked, with the earlier questions that it leans on, without mentions."""
    question, *earlier = clean_history([shown.question, *shown.history], _LONGEST)
    return with_history(question, earlier)


def _gap(number: int, rows: Sequence[Any]) -> Gap:
    """Rows as `_ROWS` selects them, the latest first."""
    latest = rows[0]
    wordings = list(dict.fromkeys(row[6] for row in rows))[1:]
    unhelpful = sum(row[4] > 0 for row in rows)
    refused = sum(row[3] == "refused" and not row[4] for row in rows)
    return Gap(
        number=number,
        state=latest[1],
        question=latest[6],
        wordings=tuple(wordings[:_WORDINGS]),
        count=len(rows),
        people=len({row[5] for row in rows}),
        refused=refused,
        weak=len(rows) - refused - unhelpful,
        unhelpful=unhelpful,
        first=rows[-1][2],
        last=latest[2],
        nearest=tuple(Near(**near) for near in json.loads(latest[7])),
    )


def _nearest(shown: Shown) -> str:
    found = [
        {
            "title": source.title, "heading": source.heading, "path": source.path,
            "excerpt": " ".join(source.passage.split())[:_EXCERPT],
        }
        for source in shown.nearest[:_NEAREST]
    ]  # fmt: skip
    return json.dumps(found, ensure_ascii=False)


def _packed(vector: Vector) -> bytes:
    return vector.astype("<f4").tobytes()
