"""What rows of a `terms.csv` would change, before they are taken: questions that get better, worse.

Both sides are built over the articles that are indexed, from the moderators' file as it is now,
once without the rows and once with them. Nothing is written.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answer import Answerer
from rag.evaluate import evaluate_articles
from rag.evaluation import Row
from rag.examined import Examined
from rag.generation import Generation
from rag.lexical import LexicalIndex
from rag.retrieve import Retriever
from rag.terms import LOCAL_FILE, Terms, load_terms, local_rows, with_rows

Terminology = Sequence[Sequence[str]]
_FIGURES = ("hit@1", "hit@3", "hit@5", "mrr", "correct", "refused", "over_refused")
_NOWHERE = 1_000


@dataclass(frozen=True, slots=True)
class Moved:
    """A question before and after: the rank of its passage, None when not found; answer right?"""

    id: str
    question: str
    rank: tuple[int | None, int | None]
    fine: tuple[bool, bool]
    status: tuple[str, str]

    @property
    def better(self) -> bool:
        """A right answer counts before a rank."""
        pairs = zip(self.fine, self.rank, strict=True)
        before, after = ((not fine, rank or _NOWHERE) for fine, rank in pairs)
        return after < before

    def form(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "question": self.question,
            "rank": list(self.rank),
            "fine": list(self.fine),
            "status": list(self.status),
        }


@dataclass(frozen=True, slots=True)
class Trial:
    """Figures without the rows and with them, and the questions that moved."""

    questions: int
    before: Mapping[str, float | None]
    after: Mapping[str, float | None]
    moved: tuple[Moved, ...]

    @property
    def better(self) -> tuple[Moved, ...]:
        return tuple(moved for moved in self.moved if moved.better)

    @property
    def worse(self) -> tuple[Moved, ...]:
        return tuple(moved for moved in self.moved if not moved.better)

    def form(self) -> dict[str, Any]:
        return {
            "questions": self.questions,
            "before": dict(self.before),
            "after": dict(self.after),
            "better": [moved.form() for moved in self.better],
            "worse": [moved.form() for moved in self.worse],
        }


def try_rows(
    generation: Generation, retriever: Retriever, answerer: Answerer,
    corpus_dir: Path, rows: Terminology, questions: Sequence[Row],
) -> Trial:  # fmt: skip
    """Ask the questions with and without the rows; those in the file already change nothing."""
    present = local_rows(corpus_dir / LOCAL_FILE)
    sides = [present, [*present, *(list(row) for row in rows if list(row) not in present)]]
    terms = [with_rows(load_terms(), side) for side in sides]
    runs = [
        evaluate_articles(_reworded(generation, each), retriever, answerer, questions)
        for each in terms
    ]
    before, after = ({name: run.scores.get(name) for name in _FIGURES} for run in runs)
    pairs = zip(runs[0].examined, runs[1].examined, strict=True)
    moved = tuple(_moved(*pair) for pair in pairs if _place(pair[0]) != _place(pair[1]))
    return Trial(len(questions), before, after, moved)


class Reworded(Generation):
    """A generation that searches by other words; all else is that of the one it is made from."""

    def __init__(self, generation: Generation, words: LexicalIndex) -> None:
        self.__dict__.update(vars(generation))
        self._words = words

    @property
    def lexical(self) -> LexicalIndex:
        return self._words


def _reworded(generation: Generation, terms: Terms) -> Reworded:
    passages = list(generation.content.all_passages())
    articles = {name: generation.content.article(name) for name in {p.article_id for p in passages}}
    return Reworded(generation, LexicalIndex.build(articles, passages, terms))


def _place(examined: Examined) -> tuple[int | None, bool]:
    return examined.rank, examined.fine


def _moved(before: Examined, after: Examined) -> Moved:
    return Moved(
        before.id,
        before.question,
        (before.rank, after.rank),
        (before.fine, after.fine),
        (before.status, after.status),
    )
