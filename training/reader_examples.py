"""What the reader learns from: questions, passages, and which sentence answers."""

import csv
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from corpus.article import Article, Passage
from corpus.split import sentences
from rag.fold import fold
from rag.lexical import LexicalIndex
from training import texts

# The last part of each colloquial set is kept to measure on.
LEARNT = 0.8
# Of the questions in `data/`, every tenth passage's are kept to measure on.
KEPT_BACK = 10
# Which sentence answers each of CMRC2018's questions (kind "c"; by the question's digest), judged
# for this project, and questions of ours that the passage does not answer (kind "o").
ENCYCLOPAEDIA = Path(__file__).parent / "data" / "encyclopaedia.tsv"
# Questions whose answer stands in another sentence of those passages than the fact asked about.
ANTECEDENTS = Path(__file__).parent / "data" / "antecedents.tsv"
# How much the sentence that tells the fact is an answer beside the one that holds it: both have to
# be read to see the answer, and both are worth quoting.
_FACT = 0.15


Row = dict[str, str]


@dataclass(frozen=True)
class Asking:
    """A question, the number of the passage it is near, and the verbatim answer ("" without).

    `fact` is what the question is about, where that stands in another sentence than the answer.
    """

    question: str
    near: int
    answered: bool
    answer: str = ""
    fact: str = ""


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


def encyclopaedia(shared: Path, learnt: bool) -> Collection:
    """CMRC2018's questions, and ours about the same passages: to learn from, or kept back."""
    known, theirs = _cmrc2018(shared)
    rows = [
        row | {"question": theirs[row["question"]]} if row["kind"] == "c" else row
        for row in noted(ENCYCLOPAEDIA, learnt)
    ]
    return collected(rows, known)


def antecedents(shared: Path, learnt: bool) -> Collection:
    """Questions answered by the sentence that "he" or "that year" points to, and controls."""
    # All are of passages that `is_learnt`; a tenth of these is kept back from this set alone.
    rows = [
        row
        for row in noted(ANTECEDENTS, learnt=True)
        if (int(row["passage"], 16) // KEPT_BACK % KEPT_BACK != 0) is learnt
    ]
    known, _ = _cmrc2018(shared)
    return collected(rows, known)


def _cmrc2018(shared: Path) -> tuple[dict[str, str], dict[str, str]]:
    """CMRC2018's training passages and questions, folded, by their digests."""
    known, theirs = {}, {}
    for row in texts.lines(shared / "train" / "cmrc2018_train.jsonl.gz"):
        question = fold(row["q"])
        known[texts.digest(row["p"])] = fold(row["p"])
        theirs[texts.digest(question)] = question
    return known, theirs


def noted(path: Path, learnt: bool) -> Iterator[Row]:
    """The rows of a file in `data/`: those to learn from, or those kept back."""
    with path.open(encoding="utf-8", newline="") as file:
        for row in csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE):
            if is_learnt(row["passage"]) is learnt:
                yield row


def collected(rows: Iterable[Row], known: Mapping[str, str]) -> Collection:
    """Questions with the folded passages that they are noted with, by digest in `known`.

    `start` and `end` are where a question is answered; those of one that is not are empty.
    `fact_start` and `fact_end`, where a file has them, are where what it asks about stands.
    """
    passages: dict[str, int] = {}
    asked = []
    for row in rows:
        number = passages.setdefault(row["passage"], len(passages))
        text = known[row["passage"]]
        answer = text[int(row["start"] or 0) : int(row["end"] or 0)]
        fact = text[int(row.get("fact_start", 0)) : int(row.get("fact_end", 0))]
        elsewhere = fact if fact != answer else ""
        asked.append(Asking(fold(row["question"]), number, bool(answer), answer, elsewhere))
    return Collection([known[name] for name in passages], asked)


def is_learnt(passage: str) -> bool:
    """Whether the questions in `data/` about a passage, by its digest, are to learn from."""
    return int(passage, 16) % KEPT_BACK != 0


def answered(collection: Collection) -> list[texts.Pair]:
    """The questions that their passage answers, with it."""
    return [
        texts.Pair(asking.question, collection.passages[asking.near], asking.answer)
        for asking in collection.asked
        if asking.answered
    ]


def labelled(collection: Collection) -> Iterator[tuple[Asking, tuple[float, ...]]]:
    """Answered questions with how likely each sentence of their passage answers."""
    for asking in collection.asked:
        passage = collection.passages[asking.near]
        target = overlap(asking.answer, passage) if asking.answer else ()
        if any(target) and asking.fact:
            shares = zip(target, overlap(asking.fact, passage), strict=True)
            target = tuple((1 - _FACT) * answer + _FACT * fact for answer, fact in shares)
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


def rivals(collection: Collection, asking: Asking, most: int = 8) -> list[int]:
    """The passages that resemble the question most and do not belong to it."""
    found = collection.index.scores(asking.question)
    order = np.argsort(-(found.ngrams + found.ideas))[: most + 1].tolist()
    return [number for number in order if number != asking.near][:most]
