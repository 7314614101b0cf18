"""The reader of words: the linear reader's features and what the question's single words meet.

Each word piece of the question has a vector; a sentence meets it as well as the sentence's most
alike piece does. The features below weigh those meetings by how rare a piece is, how near it
stands to the question word, and whether the passage's first sentence, which names the subject,
met it already: "where did A study B" is answered where B is met, not where A is.
"""

import re
import threading
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.split import Span, sentences
from rag import embed, read
from rag.cues import HOW_MANY
from rag.errors import BrokenModel
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.model_folder import ModelFolder
from rag.read import Asked, Sentence
from rag.result import Hit
from rag.wordpieces import WordPieces, checked_vocabulary

Values = NDArray[np.float32]
Numbers = NDArray[np.int64]

SHIPPED = Path(__file__).parent / "models" / "reader"
WORD_FEATURES = (
    "met",
    "met x best",
    "met anew",
    "met telling",
    "focus met",
    "focus met anew",
    "same",
    "same telling",
    "missed telling",
    "gist",
    "gist around",
    "to the point",
)
FEATURES = (*read.FEATURES, *WORD_FEATURES)
# Of a passage: the most of each feature, the features of its best sentence, and that one's score.
PASSAGE_FEATURES = (
    *(f"most: {name}" for name in FEATURES),
    *(f"best: {name}" for name in FEATURES),
    "best score",
)
_NEEDED = (*WORD_FEATURES, "passage", "best score", "bias")

_QUESTION_WORD = re.compile(
    rf"谁|什么.*|啥|哪.*|{HOW_MANY}.*|多少|多|多久|多大|多长|怎么.*|怎样|如何|咋.*|为什么|为何|为啥|干嘛|吗"
    r"|是否|何|何时|who|what|when|where|which|why|how"
)
# Pieces further from the question word count less, by e with each so many places.
_FOCUS = 3.0
# Likeness below this is chance: the mean of unrelated pieces' best is 0.2.
_CHANCE = 0.25


@dataclass(frozen=True, slots=True)
class WordSentence(Sentence):
    """A sentence of a passage that answers at all with the log-odds `says`, going by its words.

    `read` is what a network says of it that read question and passage together, if one did.
    """

    says: float = 0.0
    read: float | None = None


class WordReader:
    """Ranks sentences by weights fitted on colloquial and encyclopaedic questions.

    Making one reads a small file; the vectors are read at the first question. Any number of
    threads may use one object.
    """

    def __init__(self, folder: Path = SHIPPED, vocabulary: Path | None = None) -> None:
        self._words = Words(folder, vocabulary or embed.SHIPPED / "vocab.txt")
        weights = self._words.weights
        # A feature younger than the weights counts as much as it does for the linear reader.
        younger = dict.fromkeys(PASSAGE_FEATURES, 0.0) | dict(read.WEIGHTS)
        weights = younger | dict(weights)
        self._weights = np.array([weights[name] for name in FEATURES], dtype=np.float32)
        self._says = np.array([weights[name] for name in PASSAGE_FEATURES], dtype=np.float32)
        self._passage_weight, self._bias = weights["passage"], weights["bias"]

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[WordSentence]:
        """All sentences of the hits, best first."""
        asked, met = Asked(question, index), self._words.asked(question)
        found: list[WordSentence] = []
        for hit in hits:
            spans = sentences(hit.passage.text)
            scores, says = self._judged(asked, met, hit.passage.text, spans)
            scores += self._passage_weight * hit.score
            found += [
                WordSentence(hit, start, end, float(score), says)
                for (start, end), score in zip(spans, scores, strict=True)
            ]
        return sorted(found, key=lambda sentence: -sentence.score)

    def says(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[float]:
        """With what log-odds each passage answers, going by its words."""
        asked, met = Asked(question, index), self._words.asked(question)
        texts = [hit.passage.text for hit in hits]
        return [self._judged(asked, met, text, sentences(text))[1] for text in texts]

    def _judged(
        self, asked: Asked, met: "AskedWords", passage: str, spans: Sequence[Span]
    ) -> tuple[Values, float]:
        """A score of each sentence, and of the passage the log-odds that it answers."""
        if not spans:
            return np.zeros(0, np.float32), self._bias
        values = features(asked, met, passage, spans)
        scores = values @ self._weights
        return scores, float(passage_features(values, scores) @ self._says) + self._bias


def features(
    asked: Asked, words: "AskedWords", passage: str, spans: Sequence[tuple[int, int]]
) -> Values:
    """What is known of each sentence; shape (sentences, features), see FEATURES."""
    folded = asked.reads(passage)
    parts = [folded[start:end] for start, end in spans]
    return np.hstack([read.features(asked, passage, spans), words.features(parts)])


def passage_features(values: Values, scores: Values) -> Values:
    """What is known of a whole passage, from its sentences' features and scores."""
    best = int(scores.argmax())
    return np.concatenate([values.max(axis=0), values[best], [scores[best]]]).astype(np.float32)


class Words:
    """Vectors and rarity of the word pieces of the shipped vocabulary, and the reader's weights."""

    def __init__(self, folder: Path, vocabulary: Path) -> None:
        self._folder, self._lock = ModelFolder(folder), threading.Lock()
        self._vocabulary, self._digest = vocabulary, self._folder.told("vocabulary")
        self.weights = self._folder.weights(_NEEDED)

    def asked(self, question: str) -> "AskedWords":
        """A question, prepared once for all sentences that are read for it."""
        return AskedWords(self, fold(question))

    def ids(self, folded: str) -> Numbers:
        return np.array(self.cutter.ids(folded), dtype=np.int64)

    def vectors(self, ids: Numbers) -> Values:
        """Unit vectors, shape (pieces, dimensions)."""
        rows = self._tables[0][ids].astype(np.float32)
        found: Values = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6)
        return found

    def rarity(self, ids: Numbers) -> Values:
        """Inverse document frequency over the training passages; 0 for marks."""
        found: Values = self._tables[1][ids].astype(np.float32)
        return found

    @cached_property
    def cutter(self) -> WordPieces:
        with self._lock:
            return checked_vocabulary(self._vocabulary, self._digest, self._folder.path)

    @cached_property
    def _tables(self) -> tuple[NDArray[Any], NDArray[Any]]:
        with self._lock:
            return self._table("rows.npy"), self._table("rarity.npy")

    def _table(self, name: str) -> NDArray[Any]:
        path = self._folder.whole(name)
        try:
            table: NDArray[Any] = np.load(path, mmap_mode="r", allow_pickle=False)
        except (OSError, ValueError, EOFError) as error:
            raise BrokenModel(self._folder.path, f"{name}: {error}") from error
        return table


@dataclass(frozen=True, slots=True)
class Met:
    """How well each sentence meets each piece of the question; all of shape (pieces, sentences).

    `alike` is 0 to 1, `same` 0 or 1.
    """

    alike: Values
    same: Values


class AskedWords:
    """The content pieces of a question: their share of its weight, and their share of its focus."""

    def __init__(self, words: Words, folded: str) -> None:
        self._words = words
        ids = words.ids(folded)
        spelled = [words.cutter.tokens[number] for number in ids]
        asking = np.array([bool(_QUESTION_WORD.fullmatch(piece)) for piece in spelled], dtype=bool)
        rarity = words.rarity(ids)
        places = np.flatnonzero((rarity > 0) & ~asking)
        self.ids = ids[places]
        self.shares = _shares(rarity[places])
        distance = np.full(len(places), _FOCUS, np.float32)
        if asking.any():
            distance = np.abs(places[:, None] - np.flatnonzero(asking)).min(axis=1)
        self.focus = _shares(self.shares * np.exp(-distance / _FOCUS))
        self.vectors = words.vectors(self.ids)
        self.gist = self.shares @ self.vectors

    def features(self, parts: Sequence[str]) -> Values:
        """Shape (sentences, features), see WORD_FEATURES; 0 for a question without content."""
        found = np.zeros((len(parts), len(WORD_FEATURES)), np.float32)
        if not len(self.ids):
            return found
        cut = [self._words.ids(part) for part in parts]
        full = [place for place, ids in enumerate(cut) if len(ids)]
        if not full:
            return found
        found[full] = self._features([cut[place] for place in full])
        return found

    def _features(self, cut: Sequence[Numbers]) -> Values:
        pieces = np.concatenate(cut)
        starts = np.cumsum([0, *(len(ids) for ids in cut[:-1])])
        vectors, rarity = self._words.vectors(pieces), self._words.rarity(pieces)
        likeness = np.maximum(self.vectors @ vectors.T, 0)
        met = self._met(likeness, pieces, starts)
        anew = np.maximum(0, met.alike - met.alike[:, :1])
        telling = self.shares * (met.alike.max(axis=1) - met.alike.mean(axis=1))
        total = self.shares @ met.alike
        gists = np.add.reduceat(rarity[:, None] * vectors, starts, axis=0)
        weights = np.maximum(np.add.reduceat(rarity, starts), 1e-6)
        columns = (
            total,
            total * total.max(),
            self.shares @ anew,
            telling @ met.alike,
            self.focus @ met.alike,
            self.focus @ anew,
            self.shares @ met.same,
            (self.shares * (met.same.max(axis=1) - met.same.mean(axis=1))) @ met.same,
            telling @ (met.alike.max(axis=1, keepdims=True) - met.alike),
            _cosines(gists, self.gist),
            _cosines(_around(gists), self.gist),
            np.add.reduceat(rarity * likeness.max(axis=0), starts) / weights,
        )
        return np.stack(columns, axis=1).astype(np.float32)

    def _met(self, likeness: Values, pieces: Numbers, starts: Numbers) -> Met:
        best = np.maximum.reduceat(likeness, starts, axis=1)
        same = (self.ids[:, None] == pieces).astype(np.float32)
        alike = np.maximum(0, (best - _CHANCE) / (1 - _CHANCE))
        return Met(alike, np.maximum.reduceat(same, starts, axis=1))


def _shares(values: Values) -> Values:
    return values / max(float(values.sum()), 1e-6)


def _around(gists: Values) -> Values:
    """Each sentence with half of the one before and half of the one after."""
    wide = gists.copy()
    wide[1:] += gists[:-1] / 2
    wide[:-1] += gists[1:] / 2
    return wide


def _cosines(rows: Values, vector: Values) -> Values:
    norms = np.linalg.norm(rows, axis=1) * np.linalg.norm(vector)
    found: Values = rows @ vector / np.maximum(norms, 1e-6)
    return found
