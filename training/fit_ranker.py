"""Fit the weights by which the passages that come first are put in order (rag.ranker).

    python -m training.fit_ranker --shared DIR --work DIR [--every N]

A conditional logistic regression over DRCD, CMRC2018 and colloquial dev and the written questions
that were kept back: which of the passages that come first answers. The figures are cross-fitted,
the questions about one passage all in one half: each half is ranked by weights from the other.
Then each set by weights that were fitted without it, and each feature left out. The printed
weights are from all. What the passage reader's word counts (`rag.ranker.JUDGED`) is fitted beside
them, in the same halves, with the weights as they are where nothing is read.
"""

import argparse
import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize, minimize_scalar
from scipy.special import log_softmax

from rag.embed import Embedder, load_embedder
from rag.evaluate import throwaway
from rag.evaluation import Row
from rag.generation import Generation
from rag.passage_reader import PassageReader
from rag.ranker import FEATURES, Ranker, close
from rag.retrieve import Fusion, Retriever
from training.calibrate_support import written_kept_back
from training.measure_parts import SETS, dev_set

Values = NDArray[np.float64]
Rows = Sequence[Row]
# Small sets count more a question, so that they are heard beside thousands of DRCD.
IMPORTANCE = {"DRCD": 1.0, "CMRC2018": 1.0, "colloquial": 3.0, "kept back": 3.0}
COUNTS = (0.06, 0.12, 0.24, 0.36, 0.48)
_HOLD = 1e-3


@dataclass(frozen=True)
class Case:
    """A question: features of the passages to be put in order, shape (passages, features).

    `read` is what the passage reader says of each, shape (passages,), in log-odds. `gold` is the
    place of the one that answers, None when it is not among them; `first` is whether the first of
    all answers when nothing is moved.
    """

    values: Values
    read: Values
    gold: int | None
    first: bool
    half: int


Cases = Mapping[str, Sequence[Case]]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--every", type=int, default=1, help="of DRCD and CMRC2018")
    options = parser.parse_args()
    embedder, found = load_embedder(), {}
    for name, (passages, questions) in sets(options.shared, options.every).items():
        with throwaway(passages, embedder, options.work / "vectors.sqlite") as generation:
            found[name] = [*cases(generation, embedder, questions)]
        print(name, len(found[name]), flush=True)
    every = list(range(len(FEATURES)))
    weights = fit(found, every)
    told = {
        "unmoved": {name: _share(c.first for c in each) for name, each in found.items()},
        "cross-fitted": cross_fitted(found, every),
        "fitted without this set": {
            name: figure(each, fit({n: c for n, c in found.items() if n != name}, every), every)
            for name, each in found.items()
        },
        "cross-fitted, without": {
            feature: cross_fitted(found, [n for n in every if n != left_out])
            for left_out, feature in enumerate(FEATURES)
        },
        "weights": dict(zip(FEATURES, weights.round(2).tolist(), strict=True)),
        "cross-fitted, read": cross_fitted(found, every, read=True),
        "read, a log-odd counting": {
            str(count): {name: figure(each, weights, every, count) for name, each in found.items()}
            for count in COUNTS
        },
        "a log-odd counts": round(fit_read(found, weights, every), 3),
    }
    print(json.dumps(told, indent=1))


def sets(shared: Path, every: int) -> dict[str, tuple[Rows, Rows]]:
    """Passages, and questions that one of them answers."""
    kept_passages, kept = written_kept_back(shared)
    found = {"kept back": (kept_passages, [row for row in kept if row["passage_id"]])}
    for name, files in SETS.items():
        share = 1 if name == "colloquial" else every
        found[name] = dev_set(shared / "eval", files, share)
    return found


def cases(generation: Generation, embedder: Embedder, questions: Rows) -> Iterator[Case]:
    """What the ranker sees of each question."""
    retriever, ranker = Retriever(embedder, Fusion(closely=False)), Ranker()
    reader = PassageReader()
    for row in questions:
        hits = retriever.retrieve(generation, row["question"], (), 5).hits
        near = close(hits)
        ids = [hit.article.id for hit in near]
        gold = ids.index(row["passage_id"]) if row["passage_id"] in ids else None
        values = ranker.features(row["question"], near, generation.lexical)
        read = reader.relevance(row["question"], near) if len(near) > 1 else [0.0] * len(near)
        half = hashlib.sha256(row["passage_id"].encode()).digest()[0] % 2
        yield Case(values, np.array(read), gold, hits[0].article.id == row["passage_id"], half)


def fit(found: Cases, columns: Sequence[int], half: int | None = None) -> Values:
    """Weights of some features, from one half of the cases or from all."""
    chosen = [
        (case.values[:, columns], gold, importance)
        for case, gold, importance in _telling(found, half)
    ]
    spread = np.concatenate([values for values, _, _ in chosen]).std(axis=0) + 1e-6
    total = sum(importance for _, _, importance in chosen)

    def loss(weights: Values) -> tuple[float, Values]:
        cost, slope = _HOLD * float(weights @ weights), 2 * _HOLD * weights
        for values, gold, importance in chosen:
            scaled = values / spread
            logits = scaled @ weights
            chances = np.exp(logits - logits.max())
            chances /= chances.sum()
            cost -= importance / total * float(np.log(chances[gold] + 1e-12))
            slope = slope + importance / total * (chances @ scaled - scaled[gold])
        return cost, slope

    weights: Values = minimize(loss, np.zeros(len(columns)), jac=True, method="L-BFGS-B").x
    return weights / spread


def fit_read(
    found: Cases, weights: Values, columns: Sequence[int], half: int | None = None
) -> float:
    """What a log-odd of the passage reader counts beside given weights of the features."""
    chosen = [
        (case.values[:, columns] @ weights, case.read, gold, importance)
        for case, gold, importance in _telling(found, half)
    ]

    def loss(count: float) -> float:
        return -sum(
            importance * float(log_softmax(logits + count * read)[gold])
            for logits, read, gold, importance in chosen
        )

    return float(minimize_scalar(loss, bounds=(0, 2), method="bounded").x)


def _telling(found: Cases, half: int | None) -> Iterator[tuple[Case, int, float]]:
    """The cases that tell which passage answers, with its place and how much each case counts."""
    for name, each in found.items():
        for case in each:
            if case.gold is not None and len(case.values) > 1 and half in (None, case.half):
                yield case, case.gold, IMPORTANCE[name]


def cross_fitted(found: Cases, columns: Sequence[int], read: bool = False) -> dict[str, float]:
    """First place on each set, each half by weights from the other half of all sets.

    With `read` the passage reader has its word.
    """
    weights = [fit(found, columns, half) for half in (1, 0)]
    counts = [fit_read(found, weights[1 - half], columns, half) if read else 0.0 for half in (1, 0)]
    return {
        name: _share(_first(c, weights[c.half], columns, counts[c.half]) for c in each)
        for name, each in found.items()
    }


def figure(
    each: Sequence[Case], weights: Values, columns: Sequence[int], count: float = 0.0
) -> float:
    """First place, each log-odd of the passage reader counting so much."""
    return _share(_first(case, weights, columns, count) for case in each)


def _first(case: Case, weights: Values, columns: Sequence[int], count: float) -> bool:
    if len(case.values) < 2:
        return case.first
    return int(np.argmax(case.values[:, columns] @ weights + count * case.read)) == case.gold


def _share(right: Iterable[bool]) -> float:
    return round(float(np.mean([*right])), 4)


if __name__ == "__main__":
    main()
