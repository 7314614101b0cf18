"""The default reader: a small network reads the question and a passage together.

It says with what log-odds the passage answers at all, and how much each token is of the answer.
Both stand beside what the word reader sees (rag.word_reader) in a few fitted weights. Reading a
passage takes some 20 to 50 ms on a CPU: only those are read that may hold the answer, and only
those twice of which the first reading is not sure.
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
from rag.addresses import as_read
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.model_folder import ModelFolder
from rag.ranker import LEAD
from rag.result import Hit
from rag.word_reader import WordReader, WordSentence
from rag.wordpieces import WordPieces, checked_vocabulary

Columns = NDArray[np.float32]

SHIPPED = Path(__file__).parent / "models" / "passages"
WEIGHTS = ("words", "tokens", "says")
READ = 3  # passages at most
_FAR = LEAD + 1e-9  # of the fused score; those that the ranking put in order lie within LEAD
LIMIT = 320  # tokens of a question and a passage read together, as in training
QUESTION = 64  # tokens of a question; of a longer one the end is read
WINDOWS = 8  # of a passage too long to be read at once; what comes after them is not read
_CLOSER = 150  # tokens of a window of the second reading
_SURE = 1.5  # of log-chance: a sentence that leads by more stays first in a second reading
_HARDLY = -1.0  # log-odds; who says less answers hardly ever, in whichever sentence
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
        texts = worth_reading(hits)
        # Lines of metadata are no text: the network knows none, and reading them costs nothing.
        near = [h for h in hits if h in texts or h.passage.kind == "metadata"]
        readings = {hit.passage.id: self._network.read(question, hit.passage.text) for hit in texts}
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


def worth_reading(hits: Sequence[Hit]) -> list[Hit]:
    """The first texts of the hits, down to where one lies too far behind to hold the answer."""
    texts = [hit for hit in hits[:READ] if hit.passage.kind != "metadata"]
    return [hit for hit in texts if texts[0].score - hit.score <= _FAR]


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

        Where it may answer and two sentences are about as likely, it is read once more in shorter
        windows, unless it is very long, and the mean of both readings holds.
        """
        spans = sentences(passage)
        wanted = fold(question)
        folded, asked = as_read(fold(passage), wanted), self.cutter.ids(wanted)
        parts = [self.cutter.ids(folded[begin:end]) for begin, end in spans]
        room, length = room_beside(asked), sum(map(len, parts))
        says, chances = self._in_windows(asked, parts, room)
        unsure = says > _HARDLY and _lead(chances) < _SURE
        if unsure and _CLOSER < length <= 2 * room:
            again, closer = self._in_windows(asked, parts, _CLOSER)
            says = (says + again) / 2
            chances = _log_softmax(np.add(chances, closer) / 2)
        chances += [UNREAD] * (len(spans) - len(chances))
        return Reading(says, tuple(spans), tuple(chances))

    def _in_windows(
        self, asked: list[int], parts: Sequence[list[int]], room: int
    ) -> tuple[float, list[float]]:
        """The log-odds and each sentence's log-chance, read in windows of so many tokens.

        The passage says what the window that says most does, and its sentences share what their
        window is likely to hold.
        """
        says, within = list[float](), list[list[float]]()
        for window in windows([len(part) for part in parts], room)[:WINDOWS]:
            pair = paired(self.cutter, asked, parts[window])
            columns = self._run(pair)
            says.append(float(columns[0, 2]))
            within.append(_log_softmax(sentence_scores(columns, pair.spans)))
        shares = _log_softmax(says)
        return max(says), [c + s for found, s in zip(within, shares, strict=True) for c in found]

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


def _lead(chances: Sequence[float]) -> float:
    """How much likelier the best sentence is than the next."""
    best = sorted(chances)[-2:]
    return best[1] - best[0] if len(best) == 2 else math.inf


def _log_softmax(scores: Sequence[float] | NDArray[np.float64]) -> list[float]:
    if not len(scores):
        return []
    values = np.array(scores)
    values -= values.max()
    return [float(value) for value in values - np.log(np.exp(values).sum())]
