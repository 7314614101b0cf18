"""The default reader: a small network reads the question and a passage together.

It says with what log-odds the passage answers at all, and how much each token is of the answer.
Both stand beside what the word reader sees (rag.word_reader) in a few fitted weights. Only the
best passages are read, for reading one takes some 20 ms on a CPU.
"""

import math
import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from corpus.split import Span, sentences
from rag import embed
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.model_folder import ModelFolder
from rag.result import Hit
from rag.word_reader import WordReader, WordSentence
from rag.wordpieces import WordPieces, checked_vocabulary

Columns = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "models" / "passages"
WEIGHTS = ("words", "tokens", "says")
READ = 3  # passages
LIMIT = 320  # tokens of a question and a passage read together, as in training
QUESTION = 64  # tokens of a question; of a longer one the end is read
WINDOWS = 8  # of a passage too long to be read at once; what comes after them is not read
UNREAD = -10.0  # score of a sentence without tokens, and the log-chance of one that is not read
# Weight of the words of a line that the network does not read: there they say more than beside it.
_ALONE = 0.5
_KEPT = 64  # readings: whoever ranks passages reads them just before whoever answers from them


class PassageReader:
    """Ranks the sentences of the best passages.

    Making one reads a small file; the network is loaded at the first question. Any number of
    threads may use one object.
    """

    def __init__(self, folder: Path = SHIPPED, words: WordReader | None = None) -> None:
        self._words = words or WordReader()
        self._network = Network(folder)
        found = self._network.weights
        self._words_weight, self._tokens, self._says = (found[name] for name in WEIGHTS)

    def read(self, question: str, hits: Sequence[Hit], index: LexicalIndex) -> list[WordSentence]:
        """The sentences of the best passages, best first."""
        # Lines of metadata are no text: the network knows none, and reading them costs nothing.
        near = [h for n, h in enumerate(hits) if n < READ or h.passage.kind == "metadata"]
        readings = {
            hit.passage.id: self._network.read(question, hit.passage.text)
            for hit in near
            if hit.passage.kind != "metadata"
        }
        found = [
            self._scored(sentence, readings.get(sentence.hit.passage.id))
            for sentence in self._words.read(question, near, index)
        ]
        return sorted(found, key=lambda sentence: -sentence.score)

    def relevance(self, question: str, hits: Sequence[Hit]) -> list[float]:
        """With what log-odds each passage answers, going by the network."""
        return self._network.relevance(question, hits)

    def _scored(self, sentence: WordSentence, reading: "Reading | None") -> WordSentence:
        if reading is None:
            return replace(sentence, score=_ALONE * sentence.score)
        score = self._words_weight * sentence.score
        score += self._tokens * reading.chance(sentence.start, sentence.end)
        score += self._says * reading.says
        return replace(sentence, score=score, read=reading.says)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a reader that reads question and passage together says of a passage.

    `says` are the log-odds that it answers at all; of its sentences, at `spans` in its text,
    `chances` are the logarithms of how likely each one is the answer.
    """

    says: float
    spans: tuple[tuple[int, int], ...]
    chances: tuple[float, ...]

    def chance(self, start: int, end: int) -> float:
        """That of a sentence; KeyError when there is none of this span."""
        return dict(zip(self.spans, self.chances, strict=True))[start, end]


@dataclass(frozen=True, slots=True)
class Pair:
    """Token numbers of a question and a passage, their types, and where each sentence stands.

    A type is 0 in the question and 1 in the passage, and 2 more where the other of the two has the
    same word. A sentence that found no room has an empty span.
    """

    ids: list[int]
    types: list[int]
    spans: list[Span]


def paired(cutter: WordPieces, question: Sequence[int], parts: Sequence[Sequence[int]]) -> Pair:
    """`[CLS] question [SEP] sentences [SEP]`, cut at LIMIT tokens."""
    asked = list(question[-QUESTION:])
    room, body, spans = room_beside(asked), list[int](), []
    begin = len(asked) + 2
    for part in parts:
        start = len(body)
        body += part[: max(0, room - start)]
        spans.append((begin + start, begin + len(body)))
    types = [0, *_shared(cutter, asked, body), 0]
    types += [1 + shared for shared in (*_shared(cutter, body, asked), 0)]
    return Pair([cutter.start, *asked, cutter.end, *body, cutter.end], types, spans)


def room_beside(question: Sequence[int]) -> int:
    """Tokens of a passage that are read at once beside those of a question."""
    return LIMIT - 3 - min(len(question), QUESTION)


def windows(lengths: Sequence[int], room: int) -> list[slice]:
    """Runs of sentences of so many tokens, all read and about equally long, each within the room.

    A sentence longer than the room is alone.
    """
    even = sum(lengths) / max(1, math.ceil(sum(lengths) / room))
    begin, held, found = 0, 0, []
    for number, length in enumerate(lengths):
        if begin < number and (held + length > room or held + length / 2 > even):
            found.append(slice(begin, number))
            begin, held = number, 0
        held += length
    return [*found, slice(begin, len(lengths))]


def _shared(cutter: WordPieces, ids: Sequence[int], others: Sequence[int]) -> list[int]:
    """2 for each token that stands among the others, if need be inside a longer Chinese word."""
    known, text = set(others), "".join(cutter.tokens[number] for number in others)

    def has(number: int) -> bool:
        return number in known or (cutter.is_han(number) and cutter.tokens[number] in text)

    return [2 * has(number) for number in ids]


class Network:
    """The network and its vocabulary, which is the shipped embedding's."""

    def __init__(self, folder: Path) -> None:
        self._folder, self._lock = ModelFolder(folder), threading.Lock()
        self._digest, self.weights = self._folder.told("vocabulary"), self._folder.weights(WEIGHTS)
        self.read = lru_cache(_KEPT)(self._read)

    def relevance(self, question: str, hits: Sequence[Hit]) -> list[float]:
        """With what log-odds each passage answers."""
        return [self.read(question, hit.passage.text).says for hit in hits]

    def _read(self, question: str, passage: str) -> Reading:
        """What is to be said of a passage and of each of its sentences.

        One too long to be read at once is read in windows: it says what the window that says most
        does, and its sentences share what their window is likely to hold.
        """
        spans = sentences(passage)
        folded, asked = fold(passage), self.cutter.ids(fold(question))
        parts = [self.cutter.ids(folded[begin:end]) for begin, end in spans]
        says, within = list[float](), list[list[float]]()
        for window in windows([len(part) for part in parts], room_beside(asked))[:WINDOWS]:
            pair = paired(self.cutter, asked, parts[window])
            columns = self._run(pair)
            says.append(float(columns[0, 2]))
            within.append(_log_softmax(sentence_scores(columns, pair.spans)))
        shares = _log_softmax(says)
        chances = [c + share for found, share in zip(within, shares, strict=True) for c in found]
        chances += [UNREAD] * (len(spans) - len(chances))
        return Reading(max(says), tuple(spans), tuple(chances))

    def _run(self, pair: Pair) -> Columns:
        """The network's three columns for each token."""
        ids, types = np.array([pair.ids], np.int32), np.array([pair.types], np.int32)
        given = {"ids": ids, "mask": np.ones_like(ids), "types": types}
        found: Columns = self._session.run(None, given)[0][0]
        return found

    @cached_property
    def cutter(self) -> WordPieces:
        with self._lock:
            return checked_vocabulary(embed.SHIPPED / "vocab.txt", self._digest, self._folder.path)

    @cached_property
    def _session(self) -> Any:
        with self._lock:
            # cached_property has no lock: whoever waited finds the session of who came first.
            graph = self._folder.whole("model.onnx")
            return self.__dict__.get("_session") or embed.onnx_session(graph)


def sentence_scores(columns: Columns, spans: Sequence[Span]) -> list[float]:
    """What each sentence's tokens say, each token weighed by the first column."""
    found = []
    for begin, end in spans:
        if begin == end:
            found.append(UNREAD)
            continue
        weights = np.exp(columns[begin:end, 0] - columns[begin:end, 0].max())
        found.append(float(weights @ columns[begin:end, 1] / weights.sum()))
    return found


def _log_softmax(scores: Sequence[float]) -> list[float]:
    if not scores:
        return []
    values = np.array(scores)
    values -= values.max()
    return [float(value) for value in values - np.log(np.exp(values).sum())]
