"""What the reader that reads question and passage together learns from.

A group is one question with some passages: the one that answers (if any does), the same with the
answer taken out, and passages that resemble the question. Exactly one of them, or none, answers.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.split import sentences
from rag.fold import fold
from training import texts
from training.changes import Changes
from training.reader_examples import (
    Asking,
    Collection,
    antecedents,
    collected,
    colloquial,
    encyclopaedia,
    labelled,
    noted,
    rivals,
)

OURS = Path(__file__).parent / "data" / "questions.tsv"
LONGEST = 520  # characters; what is longer was cut when the questions were written
REWORDED = 0.4  # of the draws, where other wordings of a question are known


@dataclass(frozen=True)
class Window:
    """Sentences of a passage in order, and how likely each answers (all 0: none does)."""

    sentences: tuple[str, ...]
    target: tuple[float, ...]

    @property
    def answers(self) -> bool:
        return any(self.target)


@dataclass(frozen=True)
class Group:
    """A question and what is read for it."""

    question: str
    windows: tuple[Window, ...]


def written(shared: Path, learnt: bool) -> Collection:
    """The questions written for this project in `data/`: the part to learn from, or the rest."""
    known = {}
    for path in sorted((shared / "train").glob("*.jsonl.gz")):
        for row in texts.lines(path):
            if isinstance(row, dict) and "p" in row:
                known[texts.digest(row["p"])] = fold(row["p"][:LONGEST])
    return collected(noted(OURS, learnt), known)


class Groups:
    """Groups drawn from a collection; each draw words, cuts and takes rivals anew."""

    def __init__(
        self,
        collection: Collection,
        changes: Changes,
        variants: Mapping[str, tuple[str, ...]],
        seed: int = 0,
        hidden: float = 0.0,
    ) -> None:
        """`hidden` is the share of the draws in which no passage shows the answer any more."""
        self._collection, self._changes, self._variants = collection, changes, variants
        self._random, self._hidden = random.Random(seed), hidden
        self._rivals: dict[int, list[int]] = {}
        targets = {id(asking): target for asking, target in labelled(collection)}
        self._asked = [
            (asking, targets.get(id(asking)))
            for asking in collection.asked
            if not asking.answered or id(asking) in targets
        ]

    def __len__(self) -> int:
        return len(self._asked)

    def draw(self, place: int) -> Group:
        """One group; what is random about it comes from this object's own generator."""
        asking, target = self._asked[place]
        own = whole(self._collection.passages[asking.near], target)
        hidden = self._random.random() < self._hidden
        beside = hidden or self._random.random() < 0.5
        parted = own.answers and beside
        left = without_answer(own, asking.answer, self._random) if parted else None
        windows = [] if hidden and left else [cut(own, self._random)]
        windows += [left] if left else []
        windows += [cut(self._rival(asking), self._random)]
        if self._random.random() < 0.1:
            windows += [cut(self._rival(asking), self._random)]
        question = self._changes.question(self._worded(asking.question))
        return Group(question, tuple(w for w in windows if w.sentences))

    def _worded(self, question: str) -> str:
        others = self._variants.get(texts.digest(question))
        if others and self._random.random() < REWORDED:
            return self._random.choice(others)
        return question

    def _rival(self, asking: Asking) -> Window:
        key = id(asking)
        if key not in self._rivals:
            self._rivals[key] = rivals(self._collection, asking)
        number = self._rivals[key][min(int(self._random.expovariate(0.5)), 7)]
        return whole(self._collection.passages[number], None)


def cut(window: Window, chance: random.Random) -> Window:
    """A run of sentences that holds the answer, of a length drawn anew."""
    room = chance.choice((120, 180, 260, 400))
    size = len(window.sentences)
    if not size:
        return window
    answering = [place for place, target in enumerate(window.target) if target]
    first, last = (answering[0], answering[-1]) if answering else (chance.randrange(size),) * 2
    length = sum(len(s) for s in window.sentences[first : last + 1])
    while True:
        before, after = first > 0, last + 1 < size
        if not before and not after:
            break
        back = before and (not after or chance.random() < 0.5)
        more = window.sentences[first - 1] if back else window.sentences[last + 1]
        if length + len(more) > room:
            break
        length += len(more)
        first, last = (first - 1, last) if back else (first, last + 1)
    return Window(window.sentences[first : last + 1], window.target[first : last + 1])


def whole(passage: str, target: Sequence[float] | None) -> Window:
    """A passage as the sentences it has; without a target none of them answers."""
    parts = tuple(passage[begin:end] for begin, end in sentences(passage))
    return Window(parts, tuple(target) if target else (0.0,) * len(parts))


def without_answer(window: Window, answer: str, chance: random.Random) -> Window | None:
    """A run of the sentences that are left without the answer; None where they still hold it.

    What the question is about stays where another sentence says it, and is in the run.
    """
    most = max(window.target)
    marked = zip(window.sentences, window.target, strict=True)
    left = [(sentence, target) for sentence, target in marked if target < 0.5 * most]
    if any(answer in sentence for sentence, _ in left):
        return None
    run = cut(Window(tuple(s for s, _ in left), tuple(t for _, t in left)), chance)
    return Window(run.sentences, (0.0,) * len(run.sentences))


def kept_back(shared: Path) -> Iterator[Collection]:
    """What nothing was learnt from."""
    yield colloquial(shared, learnt=False)
    yield written(shared, learnt=False)
    yield encyclopaedia(shared, learnt=False)
    yield antecedents(shared, learnt=False)
