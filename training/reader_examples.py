"""What the reader learns from: questions, passages, and which sentence answers."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.article import Article, Passage
from corpus.split import sentences
from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.read import FEATURES as LINEAR
from rag.read import WEIGHTS, Asked, features
from training import texts

# The last part of each colloquial set is kept to measure on.
LEARNT = 0.8
# CMRC2018's pairs name no answer; where the linear reader leads by this much (log-odds) its
# sentence holds the answer in 87 of 100 (CMRC2018 dev).
_LEAD = 1.5


@dataclass(frozen=True)
class Asking:
    """A question with its passage's number (None: no passage answers) and the verbatim answer."""

    question: str
    near: int
    answered: bool
    answer: str = ""


class Collection:
    """Passages with questions about them, and an index over the passages."""

    def __init__(self, passages: Sequence[str], asked: Sequence[Asking]) -> None:
        self.passages, self.asked = list(passages), list(asked)
        self.index = index_of(self.passages)


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
    return Collection(list(numbers), [Asking(p.question, numbers[p.passage], True) for p in pairs])


def labelled(collection: Collection) -> Iterator[tuple[Asking, tuple[float, ...]]]:
    """Questions with how likely each sentence of their passage answers; only where one can tell."""
    for asking in collection.asked:
        if asking.answer:
            target = overlap(asking.answer, collection.passages[asking.near])
        else:
            target = _supposed(asking, collection) if asking.answered else ()
        if any(target):
            yield asking, target


def overlap(answer: str, passage: str) -> tuple[float, ...]:
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


def rivals(collection: Collection, asking: Asking, most: int = 8) -> list[int]:
    """The passages that resemble the question most and do not belong to it."""
    found = collection.index.scores(asking.question)
    order = np.argsort(-(found.ngrams + found.ideas))[: most + 1].tolist()
    return [number for number in order if number != asking.near][:most]
