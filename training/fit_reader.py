"""Fit the few weights by which the passage reader's network stands beside everything else.

    python -m training.fit_reader --shared DIR --reader DIR --work DIR [--every 8]

`words`, `tokens` and `says` make the score of a sentence; they are fitted, as a conditional
logistic regression, on retrieved passages of questions that nothing was learnt from: every
`--every`-th of DRCD and CMRC2018 dev, and four times as many of those that were kept back. Writes
the weights into the reader's folder.
"""

import argparse
import json
import pickle
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.fold import fold
from rag.generation import Generation
from rag.passage_reader import WEIGHTS, Network
from rag.retrieve import Retriever
from rag.word_reader import WordReader
from training import texts
from training.cross_examples import kept_back
from training.curves import area, refused

DEPTH = 5
START = dict(zip(WEIGHTS, (1.0, 1.0, 1.0), strict=True))


@dataclass(frozen=True)
class Read:
    """A passage that was read for a question; of each sentence: word score, chance, rightness."""

    gold: bool
    fused: float
    says: float
    sentences: tuple[tuple[float, float, bool], ...]


@dataclass(frozen=True)
class Case:
    """A question and the passages found for it, as retrieval ranks them."""

    kind: str
    passages: tuple[Read, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--reader", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--every", type=int, default=8)
    options = parser.parse_args()
    put_weights(options.reader, START)
    network = Network(options.reader)
    found = {}
    for name, passages, questions in sets(options.shared, options.every):
        with throwaway(passages, load_embedder(), options.work / "vectors.sqlite") as generation:
            found[name] = [*cases(generation, network, questions)]
        print(name, len(found[name]), flush=True)
    with (options.work / "cases.pickle").open("wb") as file:
        pickle.dump(found, file)
    weights = fit([case for name in found for case in found[name]])
    put_weights(options.reader, weights)
    told = {name: figures(found[name], weights) for name in found}
    print(json.dumps({"weights": weights, "figures": told}, indent=1))


Rows = list[dict[str, Any]]


def sets(shared: Path, every: int) -> Iterator[tuple[str, Rows, Rows]]:
    """Name, passages, questions with `passage_id` and `answers`."""
    for number, collection in enumerate(kept_back(shared)):
        passages = [{"id": str(n), "text": text} for n, text in enumerate(collection.passages)]
        questions = [
            {
                "question": asking.question,
                "passage_id": str(asking.near) if asking.answered else None,
                "answers": [asking.answer],
            }
            for asking in collection.asked
        ]
        yield f"kept back {number}", passages, questions[:: max(1, every // 4)]
    for name in ("drcd_dev", "cmrc2018_dev"):
        rows = list(texts.lines(shared / "eval" / f"{name}.questions.jsonl"))
        yield name, list(texts.lines(shared / "eval" / f"{name}.passages.jsonl")), rows[::every]


def cases(generation: Generation, network: Network, questions: Rows) -> Iterator[Case]:
    retriever, words = Retriever(load_embedder(), reader=network), WordReader()
    for row in questions:
        hits = retriever.retrieve(generation, row["question"], (), DEPTH).hits
        ranked = words.read(row["question"], hits, generation.lexical)
        answers = [fold(answer) for answer in row["answers"] if answer]
        passages = []
        for hit in hits:
            reading = network.read(row["question"], hit.passage.text)
            gold = hit.article.id == row["passage_id"]
            told = tuple(
                (s.score, reading.chance(s.start, s.end), gold and _right(s.text, answers))
                for s in ranked
                if s.hit is hit
            )
            passages.append(Read(gold, hit.score, reading.says, told))
        yield Case("answered" if row["passage_id"] else "unanswerable", tuple(passages))


def _right(sentence: str, answers: Sequence[str]) -> bool:
    """Whether a sentence holds an answer, or is part of a longer one."""
    folded = fold(sentence)
    return any(answer in folded or folded.strip() in answer for answer in answers)


def fit(found: Sequence[Case], hold: float = 1e-3) -> dict[str, float]:
    """Weights that make the answering sentence likeliest among all that were read."""
    rows, rights = [], []
    for case in found:
        values = [(w, t, p.says) for p in case.passages for w, t, _ in p.sentences]
        right = [r for p in case.passages for _, _, r in p.sentences]
        if any(right):
            rows.append(torch.tensor(values))
            rights.append(torch.tensor(right))
    weights = torch.tensor([1.0, 1.0, 0.3], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        total = (
            torch.stack(
                [
                    (row @ weights).logsumexp(0) - (row @ weights)[right].logsumexp(0)
                    for row, right in zip(rows, rights, strict=True)
                ]
            ).mean()
            + hold * (weights**2).sum()
        )
        total.backward()
        return total

    optimizer.step(loss)
    return {n: round(float(w), 3) for n, w in zip(WEIGHTS, weights.tolist(), strict=True)}


def figures(found: Sequence[Case], weights: dict[str, float]) -> dict[str, Any]:
    """Best sentence right: by words alone, by the network alone, together."""
    answered = [case for case in found if case.kind == "answered"]
    told: dict[str, Any] = {
        name: round(float(np.mean([_best_right(case, *w) for case in answered])), 4)
        for name, w in {
            "words": (1.0, 0.0, 0.0),
            "network": (0.0, 1.0, 1.0),
            "together": (weights["words"], weights["tokens"], weights["says"]),
        }.items()
    }
    absent = [_says(case) for case in found if case.kind != "answered"]
    if absent:
        there = [_says(case) for case in answered]
        told |= {"auc": area(there, absent), "refused at 0.08": refused(there, absent, 0.08)}
    return told


def _best_right(case: Case, words: float, tokens: float, says: float) -> bool:
    ranked = [
        (words * w + tokens * t + says * passage.says, right)
        for passage in case.passages[:3]
        for w, t, right in passage.sentences
    ]
    return bool(ranked) and max(ranked)[1]


def _says(case: Case) -> float:
    return max((passage.says for passage in case.passages[:3]), default=-10.0)


def put_weights(folder: Path, weights: dict[str, float]) -> None:
    path = folder / "youju.json"
    settings = json.loads(path.read_text(encoding="utf-8"))
    settings["weights"] = weights
    path.write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
