"""Fit when to answer and when to refuse: the weights of rag.support, and the curve they give.

    python -m training.calibrate_support --shared DIR --work DIR [--linear]

Fitted on the kept-back part of the colloquial training questions (training.reader_examples): those
that their passage answers, those that nothing answers, and the first again with their passage
withheld. Reported on colloquial dev, which is not fitted on. Prints JSON.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
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
from rag.support import FEATURES, READ_FEATURES, features
from training import texts
from training.reader_examples import LEARNT

Values = NDArray[np.float64]
_DEPTH, _SHOWN = 10, 5
SETS = {
    "colloquial_train": ("train", "eval/colloquial.passages.jsonl"),
    "colloquial_train2": ("train", "train/colloquial_train2.passages.jsonl"),
    "colloquial_dev": ("eval", "eval/colloquial.passages.jsonl"),
}


@dataclass(frozen=True)
class Case:
    """One question with what was retrieved for it."""

    question: str
    kind: str  # "answered", "unanswerable" or "withheld"
    english: bool
    retrieval: Retrieval
    gold: str | None
    answers: tuple[str, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--linear", action="store_true", help="without the reader model")
    options = parser.parse_args()
    reader = _reader(options.linear)
    names = FEATURES if options.linear else READ_FEATURES
    fitted, reported = {}, {}
    for name in SETS:
        with generation_of(options.shared, name, options.work) as generation:
            rows = [
                (case.kind, features(case.retrieval, ranked, generation.lexical))
                for case in cases(options.shared, name, generation)
                for ranked in [reader.read(case.retrieval.searched, case.retrieval.hits, generation.lexical)]
            ]
        (reported if name == "colloquial_dev" else fitted)[name] = rows
    training = [row for rows in fitted.values() for row in rows]
    kept = {"fitted": training, "dev": reported["colloquial_dev"]}
    (options.work / "support.json").write_text(json.dumps(kept), encoding="utf-8")
    weights, bias = fit(*_matrix(training))
    told: dict[str, Any] = {"weights": dict(zip(names, weights.round(2).tolist(), strict=True))}
    told["bias"] = round(bias, 2)
    for name, rows in (("fitted on", training), ("colloquial dev", reported["colloquial_dev"])):
        told[name] = curve([(kind, _chance(values, weights, bias)) for kind, values in rows])
    print(json.dumps(told, indent=1))


def _reader(linear: bool) -> Reader:
    if linear:
        return LinearReader()
    from rag.cross_reader import TransformerReader

    return TransformerReader()


@contextmanager
def generation_of(shared: Path, name: str, work: Path) -> Iterator[Generation]:
    """A throw-away index over the passages of one set; vectors are kept in the work folder."""
    rows = list(texts.lines(shared / SETS[name][1]))
    with throwaway(rows, load_embedder(), work / "vectors.sqlite") as generation:
        yield generation


def cases(shared: Path, name: str, generation: Generation) -> Iterator[Case]:
    """The questions of a set that no model has learnt from, each with its five best passages."""
    retriever = Retriever(load_embedder())
    for row in _questions(shared, name):
        found = retriever.retrieve(generation, row["question"], (), _DEPTH)
        gold, english = row["passage_id"], row["variant"] == "en"
        answers = tuple(row["answers"])
        kind = "answered" if gold else "unanswerable"
        yield Case(row["question"], kind, english, found.best(_SHOWN), gold, answers)
        if gold:
            others = tuple(hit for hit in found.hits if hit.article.id != gold)[:_SHOWN]
            without = Retrieval(found.searched, others)
            yield Case(row["question"], "withheld", english, without, gold, answers)


def _questions(shared: Path, name: str) -> list[dict[str, Any]]:
    folder = shared / SETS[name][0]
    rows = list(texts.lines(folder / f"{name}.questions.jsonl"))
    if name == "colloquial_dev":
        return rows + list(texts.lines(folder / f"{name}_unanswerable.jsonl"))
    return rows[int(LEARNT * len(rows)) :]


def fit(values: Values, answered: Values, weights: Values) -> tuple[Values, float]:
    """Logistic regression by Newton's method, slightly held to zero."""
    wide = np.hstack([values, np.ones((len(values), 1))])
    held = np.full(wide.shape[1], 1.0)
    held[-1] = 1e-6
    found = np.zeros(wide.shape[1])
    for _ in range(30):
        chance = 1 / (1 + np.exp(-wide @ found))
        slope = wide.T @ (weights * (chance - answered)) + held * found
        bend = (wide * (weights * chance * (1 - chance))[:, None]).T @ wide + np.diag(held)
        found -= np.linalg.solve(bend, slope)
    return found[:-1], float(found[-1])


def _matrix(rows: Sequence[tuple[str, Sequence[float]]]) -> tuple[Values, Values, Values]:
    """Values, labels and weights: as much weight for questions with an answer as without."""
    values = np.array([found for _, found in rows], dtype=np.float64)
    answered = np.array([kind == "answered" for kind, _ in rows], dtype=np.float64)
    share = {kind: sum(k == kind for k, _ in rows) for kind in ("unanswerable", "withheld")}
    share["answered"] = int(answered.sum()) / 2
    total = len(rows) / 4
    return values, answered, np.array([total / share[kind] for kind, _ in rows])


def _chance(values: Sequence[float], weights: Values, bias: float) -> float:
    return float(1 / (1 + np.exp(-(np.array(values) @ weights + bias))))


def curve(chances: Sequence[tuple[str, float]]) -> dict[str, Any]:
    """AUC, and what is refused at thresholds that over-refuse 2 to 15 in a hundred."""
    kinds = {
        kind: np.sort([chance for k, chance in chances if k == kind])
        for kind in ("answered", "unanswerable", "withheld")
    }
    told: dict[str, Any] = {
        f"auc {kind}": round(_auc(kinds["answered"], kinds[kind]), 3)
        for kind in ("unanswerable", "withheld")
    }
    for over in (0.02, 0.05, 0.08, 0.1, 0.15):
        threshold = float(np.quantile(kinds["answered"], over))
        refused = {k: round(float((kinds[k] < threshold).mean()), 3) for k in ("unanswerable", "withheld")}
        told[f"over-refused {over}"] = {"threshold": round(threshold, 3), **refused}
    at_half = {kind: round(float((found < 0.5).mean()), 3) for kind, found in kinds.items()}
    return {**told, "refused at 0.5": at_half}


def _auc(there: Values, absent: Values) -> float:
    return float((there[:, None] > absent[None]).mean())


if __name__ == "__main__":
    main()
