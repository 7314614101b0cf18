"""Fit when to answer and when to refuse: the weights of rag.support, and the curve they give.

    python -m training.calibrate_support --shared DIR --work DIR [--reader none] [--over 0.12]

The weights are fitted on questions that the reader has not seen: colloquial dev, those of `data/`
that were kept back (of the encyclopaedic ones every third), the colloquial ones that were (the
embedding knows those that are answered, and CMRC2018's own), every 9th of DRCD and CMRC2018 dev,
each asked of an index of some forty paragraphs only, as a few articles make one, and the clusters
that were kept back, each asked of its own passages. Of each set: questions that a passage answers,
the same with their passage withheld, and questions near a passage that nothing answers. In a small
index what is left when a passage is withheld is often on the very subject.
The curve is of colloquial dev and cross-fitted: each half is judged by weights from the other half
and all other questions.
The printed weights are from all, the bias such that `--over` of the answerable questions of
colloquial dev, which are asked of many passages, fall below a probability of 0.5.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.answer import settled
from rag.cross_reader import load_reader
from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.generation import Generation
from rag.read import Reader
from rag.retrieve import Retrieval, Retriever
from rag.support import FEATURES, among_many, features
from rag.unknown_names import unknown_names
from training import texts
from training.clusters import ClusterQuestion, clusters
from training.cross_examples import written
from training.curves import area, refused
from training.reader_examples import Collection, colloquial, encyclopaedia
from training.train_reader import logistic

Values = NDArray[np.float64]
Rows = list[tuple[str, tuple[float, ...]]]
Questions = list[dict[str, Any]]
_DEPTH, _SHOWN = 10, 5
_SMALL, _EVERY = 40, 9
KINDS = ("answered", "unanswerable", "withheld")
# How much all questions of a kind count together; "near" are those withheld from a small index.
SHARES = {"answered": 0.5, "unanswerable": 0.25, "near": 0.15, "withheld": 0.1}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--reader", default="", help='"none" for the linear reader')
    parser.add_argument("--over", type=float, default=0.12, help="answerable questions refused")
    options = parser.parse_args()
    reader = load_reader(options.reader)
    measured: Rows = []
    kept: Rows = []
    dev = colloquial_dev(options.shared)
    for into, (passages, questions) in (
        (measured, dev),
        (kept, written_kept_back(options.shared)),
        (kept, colloquial_kept_back(options.shared)),
        (kept, encyclopaedia_kept_back(options.shared)),
    ):
        with throwaway(passages, load_embedder(), options.work / "vectors.sqlite") as generation:
            into += list(judged_cases(generation, reader, questions))
    for passages, questions in chain(small(options.shared), on_one_subject()):
        with throwaway(passages, load_embedder(), options.work / "vectors.sqlite") as generation:
            kept += [
                ("near" if kind == "withheld" else kind, values)
                for kind, values in judged_cases(generation, reader, questions)
            ]
    judged = cross_fitted(measured, kept)
    weights, bias = fit(measured + kept)
    threshold = float(np.quantile([c for kind, c in judged if kind == "answered"], options.over))
    bias -= float(np.log(threshold / (1 - threshold)))
    if not options.reader:
        bias += among_many(len(dev[0]))
    told = {
        "weights": dict(zip(FEATURES, weights.round(2).tolist(), strict=True)),
        "bias": round(bias, 2),
        "cross-fitted": curve(judged),
    }
    print(json.dumps(told, indent=1))


def colloquial_dev(shared: Path) -> tuple[Questions, Questions]:
    """Passages, and questions whose `passage_id` is null when nothing answers them."""
    evaluation = shared / "eval"
    questions = [
        row
        for name in ("colloquial_dev.questions", "colloquial_dev_unanswerable")
        for row in texts.lines(evaluation / f"{name}.jsonl")
    ]
    return list(texts.lines(evaluation / "colloquial.passages.jsonl")), questions


def written_kept_back(shared: Path) -> tuple[Questions, Questions]:
    """The questions of `data/` that were kept back, over all its passages."""
    return _kept_back(written(shared, learnt=True), written(shared, learnt=False))


def colloquial_kept_back(shared: Path) -> tuple[Questions, Questions]:
    """The colloquial questions that were kept back, over all passages that any is near."""
    return _kept_back(colloquial(shared, learnt=True), colloquial(shared, learnt=False))


def encyclopaedia_kept_back(shared: Path) -> tuple[Questions, Questions]:
    """Every third encyclopaedic question that was kept back, over all paragraphs."""
    passages, questions = _kept_back(
        encyclopaedia(shared, learnt=True), encyclopaedia(shared, learnt=False)
    )
    return passages, questions[::3]


def small(shared: Path) -> Iterator[tuple[Questions, Questions]]:
    """Paragraphs of DRCD and CMRC2018 dev in small collections, those of one title together."""
    for name in ("drcd_dev", "cmrc2018_dev"):
        rows = sorted(
            texts.lines(shared / "eval" / f"{name}.passages.jsonl"), key=lambda row: row["title"]
        )
        asked = list(texts.lines(shared / "eval" / f"{name}.questions.jsonl"))[::_EVERY]
        for start in range(0, len(rows), _SMALL):
            passages = rows[start : start + _SMALL]
            here = {row["id"] for row in passages}
            yield passages, [row for row in asked if row["passage_id"] in here]


def on_one_subject() -> Iterator[tuple[Questions, Questions]]:
    """The clusters that were kept back, each a collection of its own."""
    for cluster in clusters(learnt=False):
        passages = [{"id": str(n), "text": text} for n, text in enumerate(cluster.passages)]
        yield passages, [_of_cluster(asked) for asked in cluster.questions]


def _of_cluster(asked: ClusterQuestion) -> dict[str, Any]:
    answering = [str(number) for number in sorted(asked.answers)]
    first = answering[0] if answering else None
    return {"question": asked.question, "passage_id": first, "also": answering[1:]}


def _kept_back(learnt: Collection, kept: Collection) -> tuple[Questions, Questions]:
    passages = list(dict.fromkeys([*kept.passages, *learnt.passages]))
    questions = [
        {"question": a.question, "passage_id": str(a.near) if a.answered else None}
        for a in kept.asked
    ]
    return [{"id": str(n), "text": text} for n, text in enumerate(passages)], questions


def judged_cases(
    generation: Generation, reader: Reader, questions: Questions
) -> Iterator[tuple[str, tuple[float, ...]]]:
    """Every question with its five best passages, and again without those that answer."""
    retriever = Retriever(load_embedder(), reader=reader)
    for row in questions:
        found = retriever.retrieve(generation, row["question"], (), _DEPTH)
        gold = row["passage_id"]
        yield _judged(generation, reader, found, "answered" if gold else "unanswerable")
        answering = {gold, *row.get("also", ())}
        others = tuple(hit for hit in found.hits if hit.article.id not in answering)
        if gold and others:
            article = generation.content.article(gold)
            apart = f"{article.title}\n{article.text}"
            unknown = unknown_names(found.searched, generation.lexical, apart)
            withheld = replace(found, hits=others, unknown=unknown)
            yield _judged(generation, reader, withheld, "withheld")


def _judged(
    generation: Generation, reader: Reader, found: Retrieval, kind: str
) -> tuple[str, tuple[float, ...]]:
    seen = found.best(_SHOWN)
    ranked = reader.read(seen.searched, seen.hits, generation.lexical)
    return kind, features(seen, settled(ranked, seen.searched))


def cross_fitted(rows: Rows, always: Rows) -> list[tuple[str, float]]:
    """Each question's probability, by weights that were fitted without its half."""
    halves = [[row for kind in KINDS for row in _of(rows, kind)[half::2]] for half in (0, 1)]
    judged = []
    for half, other in (halves, halves[::-1]):
        weights, bias = fit(other + always)
        judged += [(kind, _chance(np.array(values), weights, bias)) for kind, values in half]
    return judged


def _of(rows: Rows, kind: str) -> Rows:
    return [row for row in rows if row[0] == kind]


def fit(rows: Rows) -> tuple[Values, float]:
    """Weights and bias; as much weight for answerable questions as for all other kinds."""
    values = np.array([found for _, found in rows], dtype=np.float64)
    labels = np.array([kind == "answered" for kind, _ in rows], dtype=np.float64)
    size = {kind: len(_of(rows, kind)) for kind in SHARES}
    importance = np.array([SHARES[kind] * len(rows) / size[kind] for kind, _ in rows])
    return logistic(values, labels, importance, hold=1.0)


def _chance(values: Values, weights: Values, bias: float) -> float:
    return float(1 / (1 + np.exp(-(values @ weights + bias))))


def curve(judged: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """AUC, and what is refused at thresholds that over-refuse 2 to 20 in a hundred."""
    there, *absent = ([c for k, c in judged if k == kind] for kind in KINDS)
    others = dict(zip(KINDS[1:], absent, strict=True))
    told: dict[str, Any] = {f"auc {kind}": area(there, found) for kind, found in others.items()}
    for over in (0.02, 0.05, 0.08, 0.12, 0.2):
        told[f"over-refused {over}"] = {"threshold": round(float(np.quantile(there, over)), 3)} | {
            kind: refused(there, found, over) for kind, found in others.items()
        }
    return told


if __name__ == "__main__":
    main()
