"""Whether the passages support an answer at all: a calibrated probability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.lexical import LexicalIndex
from rag.read import Asked, Sentence
from rag.retrieve import Retrieval
from rag.tokens import tokens
from rag.fold import fold

FEATURES = ("cosine", "passage coverage", "sentence coverage", "ideas", "margin")


@dataclass(frozen=True, slots=True)
class Support:
    """A logistic model over what the best passage and sentence share with the question."""

    weights: tuple[float, ...] = (4.0, 3.0, 1.0, 1.0, 1.0)
    bias: float = -3.0

    def probability(
        self, retrieval: Retrieval, ranked: Sequence[Sentence], index: LexicalIndex
    ) -> float:
        """The probability, 0 to 1, that the passages answer the question."""
        if not ranked or not retrieval.hits:
            return 0.0
        values = features(retrieval, ranked, index)
        logit = self.bias + sum(w * v for w, v in zip(self.weights, values, strict=True))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def features(
    retrieval: Retrieval, ranked: Sequence[Sentence], index: LexicalIndex
) -> tuple[float, ...]:
    """See FEATURES; all between 0 and about 1."""
    asked = Asked(retrieval.searched, index)
    hits = retrieval.hits
    passage = fold(hits[0].passage.text)
    sentence = fold(ranked[0].text)
    return (
        max((hit.dense or 0.0) for hit in hits),
        asked.coverage(frozenset(tokens(passage))),
        asked.coverage(frozenset(tokens(sentence))),
        asked.ideas(passage),
        hits[0].score - hits[-1].score,
    )
