"""What the reader learns from: a question, the sentences of a passage, and which of them answers."""

import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from corpus.article import Article, Passage
from corpus.split import sentences
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import WEIGHTS, Asked, features
from rag.read import FEATURES as LINEAR
from training import texts

# The last part of each colloquial set is kept for fitting what stands on top of the network.
LEARNT = 0.8
_RIVALS = 8
# CMRC2018's pairs name no answer; where the linear reader leads by this much (log-odds) its
# sentence holds the answer in 87 of 100 (CMRC2018 dev).
_LEAD = 1.5


@dataclass(frozen=True)
class Example:
    """`target[i]` is how likely sentence i answers; all 0: nothing here does."""

    question: str
    sentences: tuple[str, ...]
    target: tuple[float, ...]

    @property
    def answered(self) -> bool:
        return any(self.target)

    def without_answer(self) -> "Example":
        """The same passage after the answering sentences were taken out."""
        kept = tuple(s for s, t in zip(self.sentences, self.target, strict=True) if t <= 0)
        return Example(self.question, kept, (0.0,) * len(kept))

    def window(self, chance: random.Random, characters: int) -> "Example":
        """Neighbouring sentences around an answering one, or around any."""
        weights = self.target if self.answered else [1.0] * len(self.sentences)
        first = last = chance.choices(range(len(self.sentences)), weights)[0]
        size = len(self.sentences[first])
        while True:
            room = [
                at
                for at in (first - 1, last + 1)
                if 0 <= at < len(self.sentences) and size + len(self.sentences[at]) <= characters
            ]
            if not room:
                break
            at = chance.choice(room)
            size += len(self.sentences[at])
            first, last = min(first, at), max(last, at)
        kept = slice(first, last + 1)
        target = np.array(self.target[kept])
        if self.answered:
            target = target / target.sum()
        return replace(self, sentences=self.sentences[kept], target=tuple(target.tolist()))


@dataclass(frozen=True)
class Asking:
    """A question with its passage's number (None: no passage answers) and the verbatim answer."""

    question: str
    near: int
    answered: bool
    answer: str = ""


class Collection:
    """Passages with questions about them, and an index that finds each question's rivals."""

    def __init__(self, passages: Sequence[str], asked: Sequence[Asking]) -> None:
        self.passages, self.asked = list(passages), list(asked)
        self.cut = [tuple(p[a:b] for a, b in sentences(p)) for p in self.passages]
        self.index = index_of(self.passages)

    def rivals(self, asking: Asking) -> list[int]:
        """The passages that resemble the question most and do not belong to it."""
        found = self.index.scores(asking.question)
        order = np.argsort(-(found.ngrams + found.ideas))[: _RIVALS + 1].tolist()
        return [number for number in order if number != asking.near][:_RIVALS]

    def negative(self, asking: Asking, number: int) -> Example:
        cut = self.cut[number]
        return Example(asking.question, cut, (0.0,) * len(cut))


def index_of(passages: Sequence[str]) -> LexicalIndex:
    articles = {str(n): Article(str(n), str(n), "", text) for n, text in enumerate(passages)}
    return LexicalIndex.build(
        articles, [Passage(n, n, 0, 0, len(a.text), a.text) for n, a in articles.items()]
    )


def colloquial(shared: Path, learnt: bool) -> Collection:
    """Questions as people type them: the part to learn from, or the part kept back."""
    train, measured = shared / "train", shared / "eval"
    sets = (
        (train / "colloquial_train.questions.jsonl", measured / "colloquial.passages.jsonl"),
        (train / "colloquial_train2.questions.jsonl", train / "colloquial_train2.passages.jsonl"),
    )
    held = texts.Held(shared)
    passages: dict[str, str] = {}
    asked: list[tuple[str, bool, str, str]] = []
    for questions, source in sets:
        known = {row["id"]: fold(row["text"]) for row in texts.lines(source)}
        rows = [r for r in texts.lines(questions) if not held.holds(known[r["near_passage_id"]])]
        border = int(LEARNT * len(rows))
        for row in rows[:border] if learnt else rows[border:]:
            near = row["near_passage_id"]
            passages[near] = known[near]
            answer = fold(row["answers"][0]) if row["answers"] else ""
            asked.append((fold(row["question"]), bool(row["passage_id"]), near, answer))
    numbers = {name: number for number, name in enumerate(passages)}
    return Collection(
        list(passages.values()), [Asking(q, numbers[near], yes, a) for q, yes, near, a in asked]
    )


def encyclopaedia(shared: Path) -> Collection:
    """CMRC2018's questions; their passages are known, their answers are not."""
    pairs = texts.Held(shared).without(texts.plain_pairs(shared, "cmrc2018_train"))
    numbers = {text: n for n, text in enumerate(dict.fromkeys(p.passage for p in pairs))}
    return Collection(
        list(numbers), [Asking(p.question, numbers[p.passage], True) for p in pairs]
    )


def labelled(collection: Collection) -> Iterator[tuple[Asking, Example]]:
    """Each question over its own passage; those whose answer nobody can tell are left out."""
    for asking in collection.asked:
        cut = collection.cut[asking.near]
        if not asking.answered:
            yield asking, Example(asking.question, cut, (0.0,) * len(cut))
            continue
        if asking.answer:
            target = _overlap(asking.answer, collection.passages[asking.near])
        else:
            target = _supposed(asking, collection)
        if any(target):
            yield asking, Example(asking.question, cut, target)


def _overlap(answer: str, passage: str) -> tuple[float, ...]:
    """How much of the answer each sentence holds; small shares count for nothing."""
    at = passage.find(answer)
    spans = sentences(passage)
    if at < 0:
        return (0.0,) * len(spans)
    shared = [max(0, min(end, at + len(answer)) - max(start, at)) for start, end in spans]
    most = max(shared, default=0)
    kept = [share if share >= 0.5 * most else 0 for share in shared]
    total = sum(kept) or 1
    return tuple(share / total for share in kept)


def _supposed(asking: Asking, collection: Collection) -> tuple[float, ...]:
    """The linear reader's opinion, when it is sure."""
    passage = collection.passages[asking.near]
    spans = sentences(passage)
    weights = np.array([WEIGHTS[name] for name in LINEAR])
    scores = features(Asked(asking.question, collection.index), passage, spans) @ weights
    best = np.sort(scores)[::-1]
    if len(best) > 1 and best[0] - best[1] < _LEAD:
        return (0.0,) * len(spans)
    chances = np.exp(scores - best[0])
    return tuple((chances / chances.sum()).tolist())


def shuffled(examples: Iterable[Example], chance: random.Random) -> list[Example]:
    found = list(examples)
    chance.shuffle(found)
    return found
