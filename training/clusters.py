"""What the reader learns from passages on one narrow subject, written for this project.

A cluster is five or six passages that a search would bring together, with questions that one or two
of them answer and as many of their kind that none does: of another year, person or edition, of what
is announced and not told. So being on the subject is told from saying what is asked.
"""

import random
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.fold import fold
from training import texts
from training.changes import Changes
from training.cross_examples import Group, cut, whole
from training.reader_examples import Asking, Collection, overlap

CLUSTERS = Path(__file__).parent / "data" / "clusters.jsonl"
_WITHHELD = 0.2  # of the draws of an answered question are without the passages that answer it
_OTHERS = 3  # passages of the cluster that are read beside the one that answers


@dataclass(frozen=True)
class ClusterQuestion:
    """A folded question and, by the number of each passage that answers it, the folded clauses."""

    question: str
    answers: dict[int, tuple[str, ...]]


@dataclass(frozen=True)
class Cluster:
    """Folded passages on one subject and what is asked about it."""

    passages: tuple[str, ...]
    questions: tuple[ClusterQuestion, ...]


def clusters(learnt: bool) -> Iterator[Cluster]:
    """Those to learn from, or those kept to measure and to fit the refusal on."""
    for row in texts.lines(CLUSTERS):
        if row["kept_back"] is not learnt:
            yield Cluster(
                tuple(map(fold, row["passages"])), tuple(map(_question, row["questions"]))
            )


def _question(row: dict[str, Any]) -> ClusterQuestion:
    answers = {int(n): tuple(map(fold, clauses)) for n, clauses in row["answers"].items()}
    return ClusterQuestion(fold(row["question"]), answers)


def cluster_pairs() -> list[texts.Pair]:
    """The questions to learn from that one passage answers, with it and its first clause."""
    return [
        texts.Pair(asked.question, cluster.passages[n], clauses[0])
        for cluster in clusters(learnt=True)
        for asked in cluster.questions
        if len(asked.answers) == 1
        for n, clauses in asked.answers.items()
    ]


class ClusterGroups:
    """Groups drawn from clusters: others of a cluster with a passage that answers, if any does."""

    def __init__(self, found: Sequence[Cluster], changes: Changes, seed: int = 0) -> None:
        self._changes, self._random = changes, random.Random(seed)
        self._asked = [(cluster, asked) for cluster in found for asked in cluster.questions]

    def __len__(self) -> int:
        return len(self._asked)

    def draw(self, place: int) -> Group:
        """One group; what is random about it comes from this object's own generator."""
        cluster, asked = self._asked[place]
        others = [n for n in range(len(cluster.passages)) if n not in asked.answers]
        windows = [
            whole(cluster.passages[n], None)
            for n in self._random.sample(others, min(_OTHERS, len(others)))
        ]
        if asked.answers and self._random.random() >= _WITHHELD:
            gold = self._random.choice(sorted(asked.answers))
            windows.append(whole(cluster.passages[gold], target(cluster, asked, gold)))
        question = self._changes.question(asked.question)
        return Group(question, tuple(cut(window, self._random) for window in windows))


def target(cluster: Cluster, asked: ClusterQuestion, passage: int) -> tuple[float, ...]:
    """How much of the answering clauses each sentence of a passage holds; of all, 1."""
    found = [overlap(clause, cluster.passages[passage]) for clause in asked.answers[passage]]
    summed = [sum(shares) for shares in zip(*found, strict=True)]
    total = sum(summed) or 1
    return tuple(share / total for share in summed)


def pairs_kept_back() -> Collection:
    """Each question kept back with a passage that answers it, if any, and the nearest other."""
    passages: list[str] = []
    asked: list[Asking] = []
    for cluster in clusters(learnt=False):
        for question in cluster.questions:
            for n in (*list(question.answers)[:1], _nearest_other(cluster, question)):
                answer = question.answers.get(n, ("",))[0]
                asked.append(Asking(question.question, len(passages) + n, bool(answer), answer))
        passages += cluster.passages
    return Collection(passages, asked)


def _nearest_other(cluster: Cluster, asked: ClusterQuestion) -> int:
    """Of the passages that do not answer, the one that has most of the question's characters."""
    others = [n for n in range(len(cluster.passages)) if n not in asked.answers]
    return max(others, key=lambda n: len({*asked.question} & {*cluster.passages[n]}))
