"""Batches for contrastive training: one source at a time, look-alikes side by side."""

import random
import re
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import bm25s
import numpy as np
from numpy.typing import NDArray

from training import texts
from training.changes import Changes
from training.texts import Pair

Neighbours = NDArray[np.int64]


@dataclass(frozen=True)
class Batch:
    """`gold[i]` is the place in `passages` of the passage for `questions[i]`."""

    source: str
    questions: list[str]
    passages: list[str]
    gold: list[int]


class Passages:
    """A set of pairs grouped by passage, dealt in batches of passages that resemble each other.

    A batch is some passages drawn at random and, for each, the strongest rivals of one of its
    questions: every rival brings its own question, so a hard negative costs nothing more.
    """

    def __init__(self, name: str, pairs: Sequence[Pair], size: int, each: int, rivals: int) -> None:
        self.name, self.size, self.each, self.rivals = name, size, each, rivals
        groups: dict[str, list[Pair]] = defaultdict(list)
        for pair in pairs:
            groups[pair.passage].append(pair)
        self.groups = list(groups.values())
        self.texts = list(groups)
        self.neighbours: list[list[int]] = [[] for _ in self.groups]

    def mine(self, depth: int = 12) -> None:
        """Find rivals by BM25 over characters and character pairs."""
        index = bm25s.BM25()
        index.index([_terms(text) for text in self.texts], show_progress=False)
        for place, group in enumerate(self.groups):
            terms = _terms(" ".join(pair.question for pair in group[: self.each]))
            known = [t for t in terms if t in index.vocab_dict]
            if known:
                found = index.retrieve([known], k=min(depth, len(self.texts)), show_progress=False)
                self.neighbours[place] = [int(n) for n in found.documents[0] if n != place]

    def mine_with(self, encode: Callable[[Sequence[str]], NDArray[np.float32]]) -> None:
        """Add the rivals that a model finds."""
        rows = encode([text[:320] for text in self.texts])
        asked = encode([group[0].question for group in self.groups])
        for place, scores in enumerate(asked @ rows.T):
            best = [int(n) for n in np.argsort(-scores)[:10] if n != place]
            self.neighbours[place] = list(dict.fromkeys(best + self.neighbours[place][:6]))

    def deal(self, chance: random.Random) -> Iterator[list[int]]:
        """Places of passages, a batch at a time, each passage seeding once a round."""
        while True:
            order = list(range(len(self.groups)))
            chance.shuffle(order)
            while order:
                chosen: dict[int, None] = {}
                while order and len(chosen) < self.size:
                    place = order.pop()
                    chosen[place] = None
                    rivals = self.neighbours[place]
                    for rival in chance.sample(rivals, min(self.rivals, len(rivals))):
                        chosen[rival] = None
                yield list(chosen)[: self.size]


def _terms(text: str) -> list[str]:
    bare = re.sub(r"\W+", "", text)
    return [*bare, *(bare[i : i + 2] for i in range(len(bare) - 1))]


class Source:
    """Questions with passages: changes the words, cuts windows, answers when known."""

    def __init__(self, passages: Passages, changes: Changes, seed: int = 1) -> None:
        self.passages, self._changes = passages, changes
        self._random = random.Random(seed)
        self._deal = passages.deal(self._random)

    def batch(self) -> Batch:
        questions: list[str] = []
        found: list[str] = []
        gold: list[int] = []
        for place in next(self._deal):
            group = self.passages.groups[place]
            drawn = self._random.sample(group, min(self.passages.each, len(group)))
            questions += [self._changes.question(pair.question) for pair in drawn]
            gold += [len(found)] * len(drawn)
            found.append(self._changes.passage(self._window(drawn)))
        return Batch(self.passages.name, questions, found, gold)

    def _window(self, drawn: list[Pair]) -> str:
        """A stretch of the passage that holds the answers, or from its beginning."""
        text = drawn[0].passage
        size = self._random.choice((110, 150, 240))
        at = text.find(drawn[0].answer) if drawn[0].answer else 0
        if len(text) <= size or at < 0:
            return text[:size] if at >= 0 else text[:240]
        latest = max(0, min(at, len(text) - size))
        earliest = max(0, min(at + len(drawn[0].answer) - size, latest))
        begin = self._random.randint(earliest, latest) if drawn[0].answer else 0
        return text[begin : begin + max(size, len(drawn[0].answer))]


class Clauses:
    """Colloquial question -> the clause that answers it."""

    def __init__(self, pairs: Sequence[Pair], changes: Changes, size: int) -> None:
        asked: dict[str, list[str]] = defaultdict(list)
        for pair in pairs:
            if len(pair.answer) >= 10:
                asked[pair.answer[:120]].append(pair.question)
        self._asked = list(asked.items())
        self._changes, self._size, self._random = changes, size, random.Random(2)

    def batch(self) -> Batch:
        drawn = self._random.sample(self._asked, self._size)  # no clause twice
        questions = [self._changes.question(self._random.choice(asked)) for _, asked in drawn]
        return Batch("clauses", questions, [clause for clause, _ in drawn], list(range(len(drawn))))


class Words:
    """Pairs of words of equal meaning: thesaurus forms, or a word and its gloss."""

    def __init__(self, name: str, sets: Sequence[Sequence[str]], size: int) -> None:
        self._name, self._size, self._random = name, size, random.Random(3)
        self._sets = [found for found in sets if len(found) > 1]

    def batch(self) -> Batch:
        drawn = self._random.sample(self._sets, self._size)
        pairs = [self._random.sample(list(found), 2) for found in drawn]
        return Batch(
            self._name, [a for a, _ in pairs], [b for _, b in pairs], list(range(len(pairs)))
        )


class Sentences:
    """A sentence and the rest of its passage (inverse cloze): teaches what goes together."""

    def __init__(self, passages: Sequence[str], changes: Changes, size: int) -> None:
        self._passages = [text for text in passages if len(text) > 120]
        self._changes, self._size, self._random = changes, size, random.Random(4)

    def batch(self) -> Batch:
        questions: list[str] = []
        rest: list[str] = []
        while len(questions) < self._size:
            text = self._random.choice(self._passages)[:600]
            sentences = [s for s in re.split(r"(?<=[。!?！？；;\n])", text) if len(s) >= 12]
            if len(sentences) > 1:
                sentence = self._random.choice(sentences)
                at = text.find(sentence)
                around = text[max(0, at - 90) : at] + text[at + len(sentence) :][:110]
                questions.append(self._changes.other_words(sentence[:80], 0.25))
                rest.append(around)
        return Batch("sentences", questions, rest, list(range(len(rest))))


def distinct_glosses(shared: Path, known: set[str]) -> list[list[str]]:
    """For each dictionary word of the vocabulary: the word and its first glosses."""
    found = texts.dictionary(shared)
    return [[word, *glosses[:2]] for word, glosses in found.items() if word in known and glosses]
