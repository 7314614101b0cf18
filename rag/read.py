"""Passages become the sentences that answer: a small linear reader whose weights can be read."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from corpus.split import sentences
from rag.addresses import BARE_ADDRESS, as_read
from rag.cues import PAIRS, asks, offers
from rag.definition import definition_of
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.result import Hit
from rag.tokens import subject, tokens, words

_CLOSING = "\"')> \n"

FEATURES = (
    "coverage",
    "coverage x best",
    "coverage / best",
    "is best",
    "previous coverage",
    "next coverage",
    "ideas",
    "previous ideas",
    "log length",
    "log new",
    "first",
    "is a question",
    "introduces",
    "bare address",
    "defines it",
    *(f"{asked} -> {offered}" for asked, offered in PAIRS),
)


# Log-odds of a sentence against the others of its passage, fitted on colloquial questions and half
# of DRCD and CMRC2018 dev; on the other half the best sentence holds the answer in 0.843 and 0.707.
WEIGHTS: Mapping[str, float] = {
    "coverage": 4.35,
    "coverage x best": 1.43,
    "coverage / best": 0.65,
    "is best": 0.66,
    "previous coverage": 0.62,
    "next coverage": 0.77,
    "ideas": 2.79,
    "previous ideas": 0.68,
    "log length": 0.25,
    "log new": -0.27,
    "first": -0.60,
    "is a question": -1.79,
    "introduces": -2.03,
    "bare address": -1.87,
    "defines it": 1.5,
    "who -> person": 1.07,
    "when -> date": 2.42,
    "when -> number": 0.85,
    "where -> place": 1.21,
    "many -> number": 1.63,
    "why -> reason": 1.96,
    "how -> means": 0.50,
    "define -> definition": 1.09,
    "list -> enumeration": 1.29,
    "yesno -> negation": 1.62,
    "passage": 20.0,
}


@dataclass(frozen=True, slots=True)
class Sentence:
    """A sentence of a hit; `[start, end)` are offsets into the passage's text.

    `score` is a log-odds scale shared by all sentences read for one question.
    """

    hit: Hit
    start: int
    end: int
    score: float

    @property
    def text(self) -> str:
        return self.hit.passage.text[self.start : self.end]


class Reader(Protocol):
    """Ranks the sentences of retrieved passages by how well they answer."""

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> Sequence[Sentence]:
        """The sentences of the hits that it reads, best first."""
        ...


class LinearReader:
    """Weighs words shared, ideas shared, neighbours, and whether the kind of answer fits."""

    def __init__(self, weights: Mapping[str, float] | None = None) -> None:
        weights = WEIGHTS if weights is None else weights
        self._weights = np.array([weights[name] for name in FEATURES], dtype=np.float32)
        self._passage_weight = weights["passage"]

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[Sentence]:
        asked = Asked(question, index)
        found: list[Sentence] = []
        for hit in hits:
            spans = sentences(hit.passage.text)
            if not spans:
                continue
            scores = features(asked, hit.passage.text, spans) @ self._weights
            scores += self._passage_weight * hit.score
            found += [
                Sentence(hit, start, end, float(score))
                for (start, end), score in zip(spans, scores, strict=True)
            ]
        return sorted(found, key=lambda sentence: -sentence.score)


class Asked:
    """A question, prepared once for all sentences that are read for it."""

    def __init__(self, question: str, index: LexicalIndex) -> None:
        self.folded = fold(question)
        self._index = index

    @cached_property
    def weights(self) -> dict[str, float]:
        """Each token's share of the question's idf; sums to 1."""
        idf = self._index.idf(list(dict.fromkeys(tokens(subject(self.folded)))))
        total = sum(idf.values()) or 1.0
        return {token: weight / total for token, weight in idf.items()}

    @cached_property
    def forms(self) -> list[tuple[str, list[str], list[str]]]:
        """Each form of the bridge in the question, with its siblings in Han and in Latin."""
        terms = self._index.terms
        found = []
        for form, groups in terms.in_question(subject(self.folded)):
            siblings = terms.siblings(form, groups)
            latin = [f" {sibling} " for sibling in siblings if sibling.isascii()]
            found.append((form, [s for s in siblings if not s.isascii()], latin))
        return found

    @cached_property
    def kinds(self) -> frozenset[str]:
        return asks(self.folded)

    @cached_property
    def _definition(self) -> re.Pattern[str] | None:
        return definition_of(self.folded)

    def reads(self, passage: str) -> str:
        """A passage as it is read for the question: folded, its addresses without their paths."""
        return as_read(fold(passage), self.folded)

    def is_defined_by(self, folded: str) -> bool:
        """Whether a sentence says what the subject of the question is."""
        return self._definition is not None and bool(self._definition.search(folded))

    def coverage(self, sentence_tokens: frozenset[str]) -> float:
        return sum(w for token, w in self.weights.items() if token in sentence_tokens)

    def ideas(self, folded: str) -> float:
        """The share of the question's forms that stand here in other words."""
        if not self.forms:
            return 0.0
        latin_here = f" {' '.join(words(folded))} "
        other = sum(
            form not in folded
            and (any(s in folded for s in han) or any(s in latin_here for s in latin))
            for form, han, latin in self.forms
        )
        return other / len(self.forms)


def features(asked: Asked, passage: str, spans: Sequence[tuple[int, int]]) -> NDArray[np.float32]:
    """What the reader knows of each sentence; shape (sentences, features), see FEATURES."""
    folded = asked.reads(passage)
    texts = [folded[start:end] for start, end in spans]
    bags = [frozenset(tokens(text)) for text in texts]
    coverage = np.array([asked.coverage(bag) for bag in bags])
    ideas = np.array([asked.ideas(text) for text in texts])
    new = [sum(token not in asked.weights for token in bag) for bag in bags]
    best = float(coverage.max())
    kinds = [offers(text) for text in texts]
    columns = [
        coverage,
        coverage * best,
        coverage / (best or 1.0),
        coverage >= best,
        _shifted(coverage, 1),
        _shifted(coverage, -1),
        ideas,
        _shifted(ideas, 1),
        np.log1p([len(text) for text in texts]),
        np.log1p(new),
        np.arange(len(texts)) == 0,
        np.array([text.rstrip(_CLOSING).endswith("?") for text in texts]),
        np.array([text.rstrip(_CLOSING).endswith(":") for text in texts]),
        np.array([bool(BARE_ADDRESS.fullmatch(text)) for text in texts]),
        np.array([asked.is_defined_by(text) for text in texts]),
        *(np.array([a in asked.kinds and o in offered for offered in kinds]) for a, o in PAIRS),
    ]
    return np.stack(columns, axis=1).astype(np.float32)


def _shifted(values: NDArray[np.float64], by: int) -> NDArray[np.float64]:
    """The value of the sentence before (by=1) or after (by=-1), 0 at the edge."""
    shifted = np.zeros_like(values)
    if by > 0:
        shifted[by:] = values[:-by]
    else:
        shifted[:by] = values[-by:]
    return shifted
