"""Fit when to answer and when to refuse: the weights of rag.support, and the curve they give.

    python -m training.calibrate_support --shared DIR --work DIR [--linear] [--over 0.08]

The embedding has learnt from the training questions, so its cosines there are too good; these few
weights are fitted on colloquial dev instead: questions that a passage answers, the same with
their passage withheld, and questions near a passage that nothing answers. The curve is
cross-fitted: each half is judged by weights from the other. The printed weights are from both
halves, the bias such that `--over` of the answerable questions fall below a probability of 0.5.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.generation import Generation
from rag.read import LinearReader, Reader
from rag.retrieve import Retrieval, Retriever
from rag.support import FEATURES, features
from rag.word_reader import WordReader
from training import texts
from training.train_reader import logistic

Values = NDArray[np.float64]
Rows = list[tuple[str, tuple[float, ...]]]
_DEPTH, _SHOWN = 10, 5
KINDS = ("answered", "unanswerable", "withheld")


@dataclass(frozen=True)
class Case:
    """One question with what was retrieved for it; `kind` is one of KINDS."""

    kind: str
    retrieval: Retrieval
    row: dict[str, Any]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--linear", action="store_true", help="for the linear reader")
    parser.add_argument("--over", type=float, default=0.08, help="answerable questions refused")
    options = parser.parse_args()
    reader: Reader = LinearReader() if options.linear else WordReader()
    evaluation = options.shared / "eval"
    passages = list(texts.lines(evaluation / "colloquial.passages.jsonl"))
    with throwaway(passages, load_embedder(), options.work / "vectors.sqlite") as generation:
        rows = [
            (case.kind, features(case.retrieval, ranked))
            for case in cases(evaluation, generation)
            for hits in [case.retrieval.hits]
            for ranked in [reader.read(case.retrieval.searched, hits, generation.lexical)]
        ]
    judged = cross_fitted(rows)
    weights, bias = fit(rows)
    threshold = float(np.quantile([c for kind, c in judged if kind == "answered"], options.over))
    bias -= float(np.log(threshold / (1 - threshold)))
    told = {
        "weights": dict(zip(FEATURES, weights.round(2).tolist(), strict=True)),
        "bias": round(bias, 2),
        "cross-fitted": curve(judged),
    }
    print(json.dumps(told, indent=1))


def cases(evaluation: Path, generation: Generation) -> Iterator[Case]:
    """Every question with its five best passages, and again without the one that answers."""
    retriever = Retriever(load_embedder())
    name = evaluation / "colloquial_dev"
    for part in (f"{name}.questions.jsonl", f"{name}_unanswerable.jsonl"):
        for row in texts.lines(Path(part)):
            found = retriever.retrieve(generation, row["question"], (), _DEPTH)
            gold = row["passage_id"]
            yield Case("answered" if gold else "unanswerable", found.best(_SHOWN), row)
            if gold:
                others = [hit for hit in found.hits if hit.article.id != gold][:_SHOWN]
                yield Case("withheld", Retrieval(found.searched, tuple(others)), row)


def cross_fitted(rows: Rows) -> list[tuple[str, float]]:
    """Each question's probability, by weights that were fitted without its half."""
    halves = [[row for kind in KINDS for row in _of(rows, kind)[half::2]] for half in (0, 1)]
    judged = []
    for half, other in (halves, halves[::-1]):
        weights, bias = fit(other)
        judged += [(kind, _chance(np.array(values), weights, bias)) for kind, values in half]
    return judged


def _of(rows: Rows, kind: str) -> Rows:
    return [row for row in rows if row[0] == kind]


def fit(rows: Rows) -> tuple[Values, float]:
    """Weights and bias; as much weight for answerable questions as for the two other kinds."""
    values = np.array([found for _, found in rows], dtype=np.float64)
    labels = np.array([kind == "answered" for kind, _ in rows], dtype=np.float64)
    share = {"answered": 0.5, "unanswerable": 0.25, "withheld": 0.25}
    size = {kind: len(_of(rows, kind)) for kind in KINDS}
    importance = np.array([share[kind] * len(rows) / size[kind] for kind, _ in rows])
    return logistic(values, labels, importance, hold=1.0)


def _chance(values: Values, weights: Values, bias: float) -> float:
    return float(1 / (1 + np.exp(-(values @ weights + bias))))


def curve(judged: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """AUC, and what is refused at thresholds that over-refuse 2 to 20 in a hundred."""
    kinds = {kind: np.array([c for k, c in judged if k == kind]) for kind in KINDS}
    told: dict[str, Any] = {
        f"auc {kind}": round(float((kinds["answered"][:, None] > kinds[kind]).mean()), 3)
        for kind in KINDS[1:]
    }
    for over in (0.02, 0.05, 0.08, 0.12, 0.2):
        threshold = float(np.quantile(kinds["answered"], over))
        refused = {k: round(float((kinds[k] < threshold).mean()), 3) for k in KINDS[1:]}
        told[f"over-refused {over}"] = {"threshold": round(threshold, 3), **refused}
    return told


if __name__ == "__main__":
    main()
