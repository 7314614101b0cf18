"""Train the shipped embedding model: contrastive pairs, batches from one source at a time.

    python -m training.train_embedding --shared DIR --work DIR --minutes 60

Reads `vocab.txt` and `start.safetensors` of training.vocabulary from the work folder and writes
`step-N.safetensors` (running means of the weights) beside them, with the losses in `log.jsonl`.
Measuring one takes minutes: export it and run training.measure on those that matter.
"""

import argparse
import json
import random
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import cross_entropy, log_softmax

from rag.wordpieces import WordPieces
from training import changes, texts
from training.batches import (
    Batch,
    Clauses,
    Passages,
    Sentences,
    Source,
    Words,
    distinct_glosses,
)
from training.clusters import cluster_pairs
from training.cross_examples import written
from training.network import Encoder, Network, follow, narrow
from training.reader_examples import answered, antecedents, encyclopaedia

TEMPERATURE = 0.05
TOKEN_RATE, BODY_RATE = 4e-4, 4e-5
LIMIT = 224
# The share of the steps that each source gets.
SHARES = {
    "colloquial": 0.18,
    "written": 0.18,
    "clusters": 0.20,
    "encyclopaedia": 0.20,
    "clauses": 0.12,
    "variants": 0.04,
    "thesaurus": 0.03,
    "dictionary": 0.01,
    "sentences": 0.02,
    "patients": 0.01,
    "ai_notes": 0.01,
}
# Sets of which somebody judged what answers each question.
JUDGED = ("colloquial", "written", "clusters", "encyclopaedia")


class Deals(Protocol):
    def batch(self) -> Batch: ...


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--start", type=Path, help="weights to go on from")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=int, default=100, help="steps between savings")
    parser.add_argument("--mine", action="store_true", help="let the start weights find rivals")
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(2)
    trainer = Trainer(options.work, options.start or options.work / "start.safetensors")
    dealers = sources(
        options.shared, trainer.cutter.tokens, trainer.encoder if options.mine else None
    )
    trainer.run(dealers, options.minutes * 60, options.every)


def sources(shared: Path, tokens: list[str], encoder: Encoder | None) -> dict[str, Deals]:
    """Every source of batches, without the passages that are measured on."""
    held = texts.Held(shared)
    groups = texts.thesaurus(texts.TERMS)
    known = set(tokens)
    common = {token for token in known if len(token) == 1}
    change = changes.Changes(groups, changes.sounds(shared, common))
    variants = texts.variants()
    colloquial, ours, clusters = (
        texts.varied(held.without(pairs), variants)
        for pairs in (
            texts.colloquial_pairs(shared),
            answered(written(shared, learnt=True)),
            cluster_pairs(),
        )
    )
    read = [*answered(encyclopaedia(shared, True)), *answered(antecedents(shared, True))]
    notes = held.without(_useful(texts.plain_pairs(shared, "ai_notes_apache")))
    patients = held.without(texts.plain_pairs(shared, "toyhom_mit"))
    sets = {
        "colloquial": Passages("colloquial", colloquial, 36, 1, 5),
        "written": Passages("written", ours, 36, 1, 5),
        "clusters": Passages("clusters", clusters, 36, 1, 5),
        "encyclopaedia": Passages("encyclopaedia", held.without(read), 36, 1, 5),
        "ai_notes": Passages("ai_notes", notes, 28, 1, 1),
        "patients": Passages("patients", patients, 32, 1, 0),
    }
    for name in (*JUDGED, "ai_notes"):
        sets[name].mine()
    if encoder is not None:
        for name in JUDGED:
            sets[name].mine_with(encoder)
    judged = [pair for name in JUDGED for group in sets[name].groups for pair in group]
    found: dict[str, Deals] = {name: Source(kept, change) for name, kept in sets.items()}
    found["clauses"] = Clauses(judged, change, 64)
    found["variants"] = Words("variants", wordings(variants, judged), 96)
    found["thesaurus"] = Words("thesaurus", [[*g.chinese, *g.english] for g in groups], 160)
    found["dictionary"] = Words("dictionary", distinct_glosses(shared, known), 160)
    mixed = [pair.passage for pair in (*judged, *notes)]
    found["sentences"] = Sentences(list(dict.fromkeys(mixed)), change, 32)
    print({name: len(kept.groups) for name, kept in sets.items()}, flush=True)
    return found


def wordings(
    variants: Mapping[str, tuple[str, ...]], pairs: Sequence[texts.Pair]
) -> list[list[str]]:
    """Each question with its other wordings."""
    found = {pair.question: variants.get(texts.digest(pair.question)) for pair in pairs}
    return [[question, *others] for question, others in found.items() if others]


def _useful(pairs: list[texts.Pair]) -> list[texts.Pair]:
    return [pair for pair in pairs if len(pair.passage) >= 60 and len(pair.question) >= 4]


class Trainer:
    """Steps until the time is up; keeps a running mean of the weights, which is what is saved."""

    def __init__(self, work: Path, start: Path) -> None:
        self._work = work
        tokens = (work / "vocab.txt").read_text(encoding="utf-8").splitlines()
        self.cutter = WordPieces(tokens)
        self.network, self._mean = Network(len(tokens)), Network(len(tokens))
        self.network.load(start)
        self._mean.load(start)
        self.encoder = Encoder(self._mean, self.cutter)
        table = self.network.bert.embeddings.word_embeddings.weight
        rest = [p for p in self.network.parameters() if p is not table]
        self._optimizer = torch.optim.AdamW(
            [{"params": [table], "lr": TOKEN_RATE}, {"params": rest, "lr": BODY_RATE}],
            weight_decay=0.01,
            fused=True,
        )
        self._rates = [TOKEN_RATE, BODY_RATE]

    def run(self, dealers: dict[str, Deals], seconds: float, every: int) -> None:
        """Train for so many seconds, the rate falling to zero."""
        names, weights = list(SHARES), list(SHARES.values())
        chance, began, step = random.Random(6), time.monotonic(), 0
        losses: dict[str, list[float]] = {name: [] for name in names}
        while (spent := time.monotonic() - began) < seconds:
            step += 1
            self._set_rate(min(1.0, step / 30) * (1 - spent / seconds))
            name = chance.choices(names, weights)[0]
            losses[name].append(self.step(dealers[name].batch()))
            follow(self._mean, self.network, min(0.99, step / (step + 10)))
            if step % every == 0:
                self._record(step, spent, losses)
                losses = {name: [] for name in names}
        self._record(step, seconds, losses)

    def step(self, batch: Batch) -> float:
        """One update; the mean loss in nats."""
        self.network.train()
        with narrow():
            questions = self.network([self.cutter.framed(text, LIMIT) for text in batch.questions])
            passages = self.network([self.cutter.framed(text, LIMIT) for text in batch.passages])
        loss = contrast(questions.float(), passages.float(), torch.tensor(batch.gold))
        self._optimizer.zero_grad()
        torch.autograd.backward(loss)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(loss.detach())

    def _set_rate(self, share: float) -> None:
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * share

    def _record(self, step: int, spent: float, losses: dict[str, list[float]]) -> None:
        self._mean.save(self._work / f"step-{step}.safetensors")
        figures = {
            "step": step,
            "minutes": round(spent / 60, 1),
            "loss": {n: round(sum(v) / len(v), 3) for n, v in losses.items() if v},
        }
        with (self._work / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(figures) + "\n")


def contrast(questions: Tensor, passages: Tensor, gold: Tensor) -> Tensor:
    """InfoNCE both ways (van den Oord et al., 2018); a passage may have several questions."""
    scores = questions @ passages.T / TEMPERATURE
    forth = cross_entropy(scores, gold)
    back = log_softmax(scores.T, dim=1)[gold, torch.arange(len(gold))]
    return (forth - back.mean()) / 2


if __name__ == "__main__":
    main()
