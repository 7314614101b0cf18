"""Make the reader: vectors of the word pieces, and the weights of its features.

    python -m training.train_reader --shared DIR --vocabulary vocab.txt [--start FILE] --out DIR

`--start` holds the transplanted model's weights (training.vocabulary), whose token table becomes
the vectors: its 128 main directions, as int8; without it the vectors in `--out` stay. The
weights are a conditional logistic regression: of the sentences of a passage, which one answers.
Takes some minutes on a CPU.
"""

import argparse
import hashlib
import json
import random
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.numpy import load_file

from corpus.split import sentences
from rag.fold import fold
from rag.read import Asked
from rag.word_reader import (
    FEATURES,
    PASSAGE_FEATURES,
    Words,
    features,
    passage_features,
)
from rag.wordpieces import WordPieces
from training import texts
from training.cross_examples import kept_back, written
from training.curves import area
from training.reader_examples import (
    Asking,
    Collection,
    colloquial,
    encyclopaedia,
    labelled,
    overlap,
    rivals,
)

Array = NDArray[np.float32]
Values = NDArray[np.float64]

NAME = "youju-word-reader"
DIMENSIONS = 128
TABLE = "embeddings.word_embeddings.weight"
# How much an encyclopaedic question counts beside a colloquial one, and every how many-th is used.
THEIRS, EVERY = 0.6, 3
# How much the fused score of the passage counts beside its sentences. Colloquial dev, five best
# retrieved passages, answer in the best sentence: 0.347 at 0, 0.383 at 5, 0.430 at 20, 0.443 at 30.
PASSAGE = 30.0
# What "this passage answers" is learnt from, by weight.
SHARES = {"answered": 0.5, "unanswerable": 0.2, "answer taken out": 0.05, "rival": 0.25}


@dataclass(frozen=True)
class Choice:
    """The features of a passage's sentences, and how likely each of them answers."""

    features: Array
    target: tuple[float, ...]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--start", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    ours = colloquial(options.shared, learnt=True)
    theirs = encyclopaedia(options.shared, learnt=True)
    if options.start:
        tokens = options.vocabulary.read_text(encoding="utf-8").splitlines()
        np.save(options.out / "rows.npy", rows(load_file(options.start)[TABLE]))
        np.save(options.out / "rarity.npy", rarity(tokens, [*ours.passages, *theirs.passages]))
    describe(
        options.out,
        options.vocabulary,
        dict.fromkeys((*FEATURES, *PASSAGE_FEATURES, "passage", "bias"), 0.0),
    )

    words = Words(options.out, options.vocabulary)
    some = Collection(theirs.passages, theirs.asked[::EVERY])
    weights = fit(choices(words, ours, labelled(ours)), choices(words, some, labelled(some)))
    named = dict(zip(FEATURES, weights.round(3).tolist(), strict=True)) | {"passage": PASSAGE}
    learnt = [ours, some, written(options.shared, learnt=True)]
    says, told = answered(words, learnt, kept_back(options.shared), weights)
    named |= says
    describe(options.out, options.vocabulary, named)
    for name in ("colloquial_dev", "cmrc2018_dev", "drcd_dev"):
        told[name] = {"sentence": share_right(measured(words, options.shared, name), weights)}
    print(json.dumps({"weights": named, "told": told}, indent=1))


def answered(
    words: Words, learnt: Sequence[Collection], kept: Iterable[Collection], weights: Array
) -> tuple[dict[str, float], dict[str, dict[str, float]]]:
    """Weights of "this passage answers"; of kept-back questions how well both weights tell."""
    cases = [case for each in learnt for case in passage_cases(words, each, weights)]
    values = np.stack([value for _, value in cases]).astype(np.float64)
    labels = np.array([kind == "answered" for kind, _ in cases], dtype=np.float64)
    counts = Counter(kind for kind, _ in cases)
    importance = np.array([SHARES[kind] * len(cases) / counts[kind] for kind, _ in cases])
    spread = values.std(axis=0) + 1e-3
    found, bias = logistic(values / spread, labels, importance, hold=20.0)
    found = found / spread
    told = {}
    for number, collection in enumerate(kept):
        judged: dict[str, list[float]] = {}
        for kind, value in passage_cases(words, collection, weights):
            judged.setdefault(kind, []).append(float(value @ found))
        told[f"kept back {number}"] = {
            "sentence": share_right(choices(words, collection, labelled(collection)), weights)
        } | {f"auc {k}": area(judged["answered"], v) for k, v in judged.items() if k != "answered"}
    named = dict(zip(PASSAGE_FEATURES, found.round(3).tolist(), strict=True))
    return named | {"bias": round(bias, 3)}, told


def passage_cases(words: Words, collection: Collection, weights: Array) -> list[tuple[str, Array]]:
    """Questions over their own passage, over it without its answer, and over a rival of it."""
    chance, found = random.Random(0), []
    for asking in collection.asked:
        asked, met = Asked(asking.question, collection.index), words.asked(asking.question)

        def case(kind: str, passage: str, spans: Sequence[tuple[int, int]]) -> None:
            if spans:
                values = features(asked, met, passage, spans)  # noqa: B023
                found.append((kind, passage_features(values, values @ weights)))

        own = collection.passages[asking.near]
        case("answered" if asking.answered else "unanswerable", own, sentences(own))
        if asking.answered and asking.answer:
            target = overlap(asking.answer, own)
            left = [span for span, t in zip(sentences(own), target, strict=True) if t <= 0]
            case("answer taken out", own, left if any(target) else [])
        other = collection.passages[chance.choice(rivals(collection, asking))]
        case("rival", other, sentences(other))
    return found


def logistic(
    values: Values, labels: Values, importance: Values, hold: float
) -> tuple[Values, float]:
    """Logistic regression by Newton's method, held to zero."""
    wide = np.hstack([values, np.ones((len(values), 1))])
    held = np.full(wide.shape[1], hold)
    held[-1] = 1e-6
    found = np.zeros(wide.shape[1])
    for _ in range(20):
        chance = 1 / (1 + np.exp(-wide @ found))
        slope = wide.T @ (importance * (chance - labels)) + held * found
        bend = (wide * (importance * chance * (1 - chance))[:, None]).T @ wide + np.diag(held)
        found -= np.linalg.solve(bend, slope)
    return found[:-1], float(found[-1])


def rows(table: Array) -> NDArray[np.int8]:
    """The table's main directions; each row fills the range, for only its direction counts."""
    centred = table - table.mean(axis=0)
    _, _, directions = np.linalg.svd(centred[::4], full_matrices=False)
    short = centred @ directions[:DIMENSIONS].T
    largest = np.maximum(np.abs(short).max(axis=1, keepdims=True), 1e-9)
    return np.rint(short / largest * 127).astype(np.int8)


def rarity(tokens: Sequence[str], passages: Sequence[str]) -> NDArray[np.float16]:
    """Inverse document frequency of each piece; 0 for what is neither letter nor digit."""
    cutter = WordPieces(tokens)
    counts = Counter(piece for passage in passages for piece in set(cutter.ids(passage)))
    frequency = np.array([counts[number] for number in range(len(tokens))])
    found = np.log1p((len(passages) - frequency + 0.5) / (frequency + 0.5))
    worded = np.array([token.removeprefix("##")[:1].isalnum() for token in tokens])
    return np.where(worded, found, 0).astype(np.float16)


def describe(out: Path, vocabulary: Path, weights: dict[str, float]) -> None:
    settings = {
        "name": NAME,
        "vocabulary": hashlib.sha256(vocabulary.read_bytes()).hexdigest(),
        "bytes": {name: (out / name).stat().st_size for name in ("rows.npy", "rarity.npy")},
        "weights": weights,
    }
    (out / "youju.json").write_text(json.dumps(settings, indent=1) + "\n", encoding="utf-8")


def choices(
    words: Words, collection: Collection, targets: Iterable[tuple[Asking, Sequence[float]]]
) -> list[Choice]:
    """Questions over their own passages."""
    found = []
    for asking, target in targets:
        passage = collection.passages[asking.near]
        asked, met = Asked(asking.question, collection.index), words.asked(asking.question)
        found.append(Choice(features(asked, met, passage, sentences(passage)), tuple(target)))
    return found


def measured(words: Words, shared: Path, name: str) -> list[Choice]:
    """A dev set: target 1 where a sentence holds the whole of an answer."""
    source = name.removesuffix("_dev") if name.startswith("colloquial") else name
    rows_of = {r["id"]: r for r in texts.lines(shared / f"eval/{source}.passages.jsonl")}
    numbers = {ident: number for number, ident in enumerate(rows_of)}
    collection = Collection([fold(row["text"]) for row in rows_of.values()], [])
    found = []
    for row in texts.lines(shared / f"eval/{name}.questions.jsonl"):
        asking = Asking(fold(row["question"]), numbers[row["passage_id"]], True)
        passage, answers = collection.passages[asking.near], [fold(a) for a in row["answers"]]
        spans = sentences(passage)
        found.append((asking, [float(any(a in passage[s:e] for a in answers)) for s, e in spans]))
    return choices(words, collection, found)


def share_right(found: Sequence[Choice], weights: Array) -> float:
    """How often the best sentence answers."""
    right = [choice.target[int((choice.features @ weights).argmax())] > 0 for choice in found]
    return round(float(np.mean(right)), 3)


def fit(ours: Sequence[Choice], theirs: Sequence[Choice], hold: float = 2e-3) -> Array:
    """Weights that make the answering sentence likeliest, slightly held to zero."""
    everything = [*ours, *theirs]
    stacked = np.concatenate([choice.features for choice in everything])
    middle, spread = stacked.mean(axis=0), stacked.std(axis=0) + 1e-4
    most = max(len(choice.target) for choice in everything)
    values = torch.zeros(len(everything), most, stacked.shape[1])
    absent = torch.full((len(everything), most), -1e4)
    target = torch.zeros(len(everything), most)
    for place, choice in enumerate(everything):
        size = len(choice.target)
        values[place, :size] = torch.from_numpy((choice.features - middle) / spread)
        absent[place, :size] = 0
        target[place, :size] = torch.tensor(choice.target) / sum(choice.target)
    counts = torch.tensor([1.0] * len(ours) + [THEIRS] * len(theirs))
    weights = torch.zeros(stacked.shape[1], requires_grad=True)
    optimizer = torch.optim.LBFGS([weights], max_iter=100)

    def loss() -> torch.Tensor:
        optimizer.zero_grad()
        chances = (values @ weights + absent).log_softmax(dim=1)
        found = -(counts * (target * chances).sum(dim=1)).sum() / counts.sum()
        found = found + hold * (weights**2).sum()
        found.backward()
        return found

    optimizer.step(loss)
    fitted: Array = weights.detach().numpy() / spread
    return fitted


if __name__ == "__main__":
    main()
