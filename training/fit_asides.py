"""Fit the model that tells what is said to the bot from what is asked of the articles (rag.asides).

    python -m training.fit_asides --shared DIR [--out rag/models/asides.json]

A logistic regression over the shipped embedding's vectors. It learns from `data/asides.tsv`, from
questions of the training sets, and from the thesaurus's words, which people search for without a
sentence around them. The printed shares are cross-fitted in five parts: how much of each kind is
taken for an aside where its chance is above so much; the weights that are written are from all.
"""

import argparse
import csv
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize

from rag.asides import SHIPPED, model_of
from rag.embed import load_embedder
from training import texts
from training.clusters import clusters

Values = NDArray[np.float64]

ASIDES = Path(__file__).parent / "data" / "asides.tsv"
QUESTIONS = Path(__file__).parent / "data" / "questions.tsv"
ASKED = "asked"  # the kind of the questions in `asides.tsv`
EACH = 2_500  # of a set of questions
PARTS = 5
CHANCES = (0.3, 0.5, 0.7)
# What is asked is far oftener met than what is said, and a question refused is worse.
_PRIOR = -1.5  # log-odds
_REAL = 0.1  # how much a question of the training sets counts beside a message written for this
_HOLD = 3e-5


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=SHIPPED)
    parser.add_argument("--hold", type=float, default=_HOLD, help="how small weights are kept")
    options = parser.parse_args()
    kinds, messages = zip(*[*asides(), *questions(options.shared)], strict=True)
    embedder = load_embedder()
    vectors = np.stack([embedder.embed_query(message) for message in messages]).astype(np.float64)
    said = np.array([kind in said_kinds() for kind in kinds], dtype=float)
    counts = np.array([1.0 if kind in said_kinds() | {ASKED} else _REAL for kind in kinds])
    part = np.array(random.Random(1).choices(range(PARTS), k=len(kinds)))
    chances = np.zeros(len(kinds))
    for number in range(PARTS):
        rest = part != number
        weights, bias = fit(vectors[rest], said[rest], counts[rest], options.hold)
        chances[~rest] = _chances(vectors[~rest], weights, bias)
    print(json.dumps(figures(kinds, chances), indent=1))
    weights, bias = fit(vectors, said, counts, options.hold)
    told = {
        "embedding": model_of(embedder),
        "bias": round(bias, 3),
        "weights": [round(float(weight), 2) for weight in weights],
    }
    options.out.write_text(json.dumps(told) + "\n", encoding="utf-8")


def asides() -> Iterator[tuple[str, str]]:
    """Kind and message of those written for this project."""
    with ASIDES.open(encoding="utf-8", newline="") as file:
        rows = csv.reader(file, delimiter="\t", quoting=csv.QUOTE_NONE)
        yield from ((kind, message) for kind, message in rows)


def said_kinds() -> frozenset[str]:
    """The kinds that are said to the bot."""
    return frozenset({"talk", "chore", "order"})


def questions(shared: Path) -> Iterator[tuple[str, str]]:
    """Name of the set and question, of sets that are for learning."""
    chance = random.Random(1)
    for name, found in _sets(shared).items():
        distinct = list(dict.fromkeys(found))
        yield from ((name, q) for q in chance.sample(distinct, min(EACH, len(distinct))))


def _sets(shared: Path) -> Mapping[str, Sequence[str]]:
    train = shared / "train"
    with QUESTIONS.open(encoding="utf-8", newline="") as file:
        written = [r["question"] for r in csv.DictReader(file, delimiter="\t")]
    colloquial = ("colloquial_train.questions.jsonl", "colloquial_train2.questions.jsonl")
    return {
        "written": written,
        "colloquial": [r["question"] for name in colloquial for r in texts.lines(train / name)],
        "CMRC2018": [pair.question for pair in texts.plain_pairs(shared, "cmrc2018_train")],
        "clusters": [asked.question for c in clusters(learnt=True) for asked in c.questions],
        "words": [form for g in texts.thesaurus(texts.TERMS) for form in (*g.chinese, *g.english)],
    }


def fit(vectors: Values, said: Values, counts: Values, hold: float) -> tuple[Values, float]:
    """Weights, shape (dimensions,), and bias; the prior is added to what the messages tell."""
    share = counts / counts.sum()

    def loss(theta: Values) -> tuple[float, Values]:
        logits = vectors @ theta[:-1] + theta[-1]
        off = share * (_sigmoid(logits) - said)
        value = float(share @ (np.logaddexp(0, logits) - said * logits))
        held = hold * float(theta[:-1] @ theta[:-1])
        return value + held, np.append(off @ vectors + 2 * hold * theta[:-1], off.sum())

    found = minimize(loss, np.zeros(vectors.shape[1] + 1), jac=True, method="L-BFGS-B")
    return found.x[:-1], float(found.x[-1]) + _PRIOR


def _chances(vectors: Values, weights: Values, bias: float) -> Values:
    return _sigmoid(vectors @ weights + bias)


def _sigmoid(logits: Values) -> Values:
    found: Values = 1 / (1 + np.exp(-np.clip(logits, -30, 30)))
    return found


def figures(kinds: Sequence[str], chances: Values) -> dict[str, dict[str, float]]:
    """For each kind, the share above each of CHANCES, and its number."""
    told = {}
    for kind in dict.fromkeys(kinds):
        of_kind = chances[[known == kind for known in kinds]]
        above = {f"above {c}": round(float((of_kind > c).mean()), 4) for c in CHANCES}
        told[kind] = {"messages": len(of_kind), **above}
    return told


if __name__ == "__main__":
    main()
