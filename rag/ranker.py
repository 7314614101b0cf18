"""The passages that come first in a better order, by what their sentences and titles say.

Scores of whole passages cannot tell apart those that are about as near to a question: a long one
holds its words here and there, another holds them in one sentence, beside what was asked for. So
the best few are looked at closely, where the first does not lead clearly. The weights are those
of a conditional logistic regression (training/fit_ranker.py); a person can read them. Where an
answer is wanted a network has its word too: it reads those passages anyway.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import pairwise
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from corpus.split import sentences
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.question import Query
from rag.read import Asked
from rag.result import Hit
from rag.tokens import subject, tokens
from rag.word_reader import WordReader

NEAR = 3  # passages; four or six are within 0.001 on every set
LEAD = 0.1  # of the fused score: a first passage that leads by more is right in 0.99

# Log-odds that a passage is the one that answers, against the others that come first.
WEIGHTS: Mapping[str, float] = {
    "fused": 11.9,
    "cosine": 7.6,
    "says": 1.0,
    "two sentences": 5.7,
    "title": 4.0,
    "sentence and title": 7.8,
    "numbers": 3.8,
    "longest run": 3.0,
}
FEATURES = tuple(WEIGHTS)
# The same of each log-odd that a judge gives a passage: 0.03 of the fused score.
JUDGED = 0.36
_OF_LEGS = 2  # features; both legs have heard what was asked before


@runtime_checkable
class Judge(Protocol):
    """Whoever reads passages and says whether they answer."""

    def relevance(self, question: str, hits: Sequence[Hit]) -> Sequence[float]:
        """The log-odds that each passage answers the question."""
        ...


def judge_of(reader: object) -> Judge | None:
    """A reader, if it says of whole passages whether they answer."""
    return reader if isinstance(reader, Judge) else None


class Ranker:
    """Puts the passages that come first in order. Any number of threads may use one object."""

    def __init__(self, words: WordReader | None = None) -> None:
        self._words = words or WordReader()
        self._weights = np.array(list(WEIGHTS.values()), dtype=np.float64)

    def ranked(
        self,
        query: Query,
        hits: Sequence[Hit],
        index: LexicalIndex,
        judge: Judge | None = None,
    ) -> list[Hit]:
        """All hits (given best first), best first; the first keeps the highest fused score.

        Metadata is not put in order with them: where it comes first it was asked for, elsewhere
        it falls behind those that are.
        """
        near = close(hits)
        if len(near) < 2:
            return list(hits)
        logits = self.features(query.text, near, index) @ self._weights
        if query.earlier:
            before = self.features(query.earlier, near, index)[:, _OF_LEGS:]
            logits += query.weight * (before @ self._weights[_OF_LEGS:])
        # A question that follows others may not name its subject, and any passage may answer it.
        if judge is not None and not query.earlier:
            logits += JUDGED * np.array(judge.relevance(query.text, near))
        best, rest = near[0].score, [hit for hit in hits if hit not in near]
        floor = max([best - LEAD, *(hit.score for hit in rest)])
        scores = np.maximum(best + (logits - logits.max()) / WEIGHTS["fused"], floor)
        order = np.argsort(-logits, kind="stable").tolist()
        moved = [replace(near[at], score=float(scores[at])) for at in order]
        return sorted([*moved, *rest], key=lambda hit: -hit.score)

    def features(
        self, question: str, hits: Sequence[Hit], index: LexicalIndex
    ) -> NDArray[np.float64]:
        """What is known of each passage; shape (hits, features), see FEATURES."""
        asked, says = Asked(question, index), self._words.says(question, hits, index)
        wanted = subject(asked.folded)
        worst = min((hit.dense for hit in hits if hit.dense is not None), default=0.0)
        return np.array(
            [
                (
                    hit.score,
                    worst if hit.dense is None else hit.dense,
                    said,
                    *_met(asked, wanted, hit),
                )
                for hit, said in zip(hits, says, strict=True)
            ],
            dtype=np.float64,
        )


def close(hits: Sequence[Hit]) -> list[Hit]:
    """Those of the first passages that a closer look may put in another order."""
    if not hits or hits[0].passage.kind == "metadata":
        return []
    within = (hit for hit in hits[:NEAR] if hits[0].score - hit.score < LEAD)
    return [hit for hit in within if hit.passage.kind != "metadata"]


def _met(asked: Asked, wanted: str, hit: Hit) -> tuple[float, ...]:
    """The shares of a question's weight that parts of a passage cover, its numbers, its wording."""
    text = asked.reads(hit.passage.text)
    spans = sentences(hit.passage.text) or [(0, len(text))]
    bags = [frozenset(tokens(text[start:end])) for start, end in spans]
    title = frozenset(tokens(fold(hit.article.title)))
    pairs = [a | b for a, b in pairwise(bags)] or bags
    here = frozenset[str]().union(*bags)
    numbers = [token for token in asked.weights if token.isdecimal()]
    return (
        max(map(asked.coverage, pairs)),
        asked.coverage(title),
        max(asked.coverage(bag | title) for bag in bags),
        sum(number in here for number in numbers) / max(1, len(numbers)),
        _longest_run(wanted, text) / max(1, len(wanted.strip())),
    )


def _longest_run(wanted: str, text: str) -> int:
    """How many characters in a row of what is wanted stand in a text like that."""
    longest = 0
    for run in wanted.split():
        for begin in range(len(run)):
            while begin + longest < len(run) and run[begin : begin + longest + 1] in text:
                longest += 1
    return longest
