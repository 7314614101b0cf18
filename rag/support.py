"""Whether the passages support an answer at all: a calibrated probability."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from rag.cues import PAIRS, offers
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import Asked, Sentence
from rag.retrieve import Retrieval
from rag.tokens import tokens

FEATURES = (
    "cosine",
    "cosine lead",
    "coverage",
    "best coverage",
    "sentence coverage",
    "ideas",
    "rarest",
    "fused",
    "fused lead",
    "reader",
    "reader lead",
    "kind met",
    "kind unmet",
)
READ_FEATURES = FEATURES


@dataclass(frozen=True, slots=True)
class Support:
    """A logistic model over what the best passage and sentence share with the question."""

    weights: tuple[float, ...] = (3.05, 0.43, 1.1, 1.31, -2.36, 0.12, -1.13, 4.71, 2.96, 0.29, 0.78, -0.33, -0.16)
    bias: float = -3.32

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
    """See FEATURES; all between -1 and about 2."""
    asked = Asked(retrieval.searched, index)
    hits = retrieval.hits
    bags = [frozenset(tokens(fold(hit.passage.text))) for hit in hits]
    covered = [asked.coverage(bag) for bag in bags]
    cosines = sorted((hit.dense or 0.0 for hit in hits), reverse=True)
    best = ranked[0]
    sentence = fold(best.text)
    passage = fold(best.hit.passage.text)
    rare = sorted(asked.weights, key=lambda token: -asked.weights[token])[:4]
    here = frozenset(tokens(passage))
    others = [s.score for s in ranked if s.hit.passage.id != best.hit.passage.id]
    offered = offers(sentence)
    wanted = [o for a, o in PAIRS if a in asked.kinds]
    met = any(o in offered for o in wanted)
    return (
        cosines[0],
        cosines[0] - sum(cosines) / len(cosines),
        asked.coverage(here),
        max(covered),
        asked.coverage(frozenset(tokens(sentence))),
        asked.ideas(passage),
        sum(token in here for token in rare) / max(1, len(rare)),
        hits[0].score,
        hits[0].score - (hits[1].score if len(hits) > 1 else 0.0),
        best.score / 5,
        min(1.0, (best.score - max(others, default=best.score - 5)) / 5),
        float(met),
        float(bool(wanted) and not met),
    )
