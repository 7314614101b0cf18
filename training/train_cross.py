"""Train the reader that reads question and passage together.

    python -m training.train_cross --shared DIR --start FILE --work DIR [--minutes 60] [--seed 1]

`--start` holds the trained embedding's weights (training.train_embedding, or
training.shipped_weights), whose transformer and vocabulary the reader begins with. Of the passages
of a group at most one answers: their log-odds and a zero for "none" go through one softmax, and
the sentences of the answering passage through another. Checkpoints and their figures on what was
kept back go into the work folder.
"""

import argparse
import json
import random
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import log_softmax

from corpus.split import sentences
from rag.passage_reader import Pair, paired
from rag.wordpieces import WordPieces
from training import changes, clusters, cross_examples, texts
from training.clusters import ClusterGroups
from training.cross_examples import Group, Groups
from training.cross_network import CrossNetwork
from training.curves import area, refused
from training.export_embedding import SHIPPED
from training.network import follow, narrow
from training.reader_examples import (
    Asking,
    Collection,
    antecedents,
    colloquial,
    encyclopaedia,
    overlap,
)

BODY_RATE, HEAD_RATE = 1.5e-4, 1e-3
TOGETHER = 28  # passages a step
KEEP = 0.99  # of the running mean of the weights, which is what is measured and saved
HIDDEN = 0.35  # of the antecedents' draws, since each of its questions is answered
SAYS = 1.0  # weight of "which passage, if any" beside "which sentence"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, default=SHIPPED / "vocab.txt")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--every", type=float, default=10, help="minutes between checkpoints")
    parser.add_argument("--threads", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1, help="of the order, the cuts, the wordings")
    options = parser.parse_args()
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.manual_seed(options.seed)
    options.work.mkdir(parents=True, exist_ok=True)
    tokens = options.vocabulary.read_text(encoding="utf-8").splitlines()
    common = {token for token in tokens if len(token) == 1}
    change = changes.Changes(texts.thesaurus(texts.TERMS), changes.sounds(options.shared, common))
    groups = sources(options.shared, change, options.seed)
    print([len(found) for _, found in groups], flush=True)
    kept = [*cross_examples.kept_back(options.shared), clusters.pairs_kept_back()]
    trainer = Trainer(options.work, options.start, WordPieces(tokens))
    batches = _batches(groups, random.Random(7 * options.seed))
    trainer.run(batches, kept, 60 * options.minutes, 60 * options.every)


def sources(
    shared: Path, change: changes.Changes, seed: int
) -> list[tuple[float, Groups | ClusterGroups]]:
    """Sources with how much of each an epoch takes, as a share of its questions."""
    variants = texts.variants()
    sets = (
        (1.0, colloquial(shared, learnt=True), 0.0),
        (0.6, encyclopaedia(shared, learnt=True), 0.0),
        (1.0, cross_examples.written(shared, learnt=True), 0.0),
        (1.0, antecedents(shared, learnt=True), HIDDEN),
    )
    first = (len(sets) + 1) * seed
    on_one_subject = ClusterGroups([*clusters.clusters(learnt=True)], change, first + len(sets))
    return [
        *(
            (share, Groups(found, change, variants, first + n, hidden))
            for n, (share, found, hidden) in enumerate(sets)
        ),
        (2.0, on_one_subject),
    ]


class Trainer:
    """Steps until the time is up, the rate falling to zero."""

    def __init__(self, work: Path, start: Path, cutter: WordPieces) -> None:
        self._work, self._cutter = work, cutter
        self.network, self._mean = (CrossNetwork(len(cutter.tokens)) for _ in range(2))
        self.network.load(start)
        self._mean.load_state_dict(self.network.state_dict())
        table = self.network.bert.embeddings.word_embeddings.weight
        table.requires_grad_(False)  # most words are too rare here to be learnt anew
        types = self.network.bert.embeddings.token_type_embeddings.weight
        head = [types, *self.network.head.parameters()]
        rest = [p for p in self.network.bert.parameters() if p is not table and p is not types]
        self._rates = [BODY_RATE, HEAD_RATE]
        groups = [
            {"params": found, "lr": rate}
            for found, rate in zip((rest, head), self._rates, strict=True)
        ]
        self._optimizer = torch.optim.AdamW(groups, weight_decay=0.01, fused=True)

    def run(
        self,
        batches: Iterator[list[Group]],
        kept: Sequence[Collection],
        seconds: float,
        every: float,
    ) -> None:
        began, last, step = time.monotonic(), 0.0, 0
        losses: list[tuple[float, float]] = []
        for batch in batches:
            spent = time.monotonic() - began
            if spent > seconds:
                break
            step += 1
            self._set_rate(min(1.0, step / 50) * (1 - spent / seconds))
            losses.append(self.step(batch))
            follow(self._mean, self.network, min(KEEP, step / (step + 10)))
            if spent - last > every:
                last = spent
                self._record(step, spent, losses, kept)
                losses = []
        self._record(step, seconds, losses, kept)

    def step(self, groups: Sequence[Group]) -> tuple[float, float]:
        """One update; the mean losses in nats: which sentence, which passage."""
        self.network.train()
        pairs = [self._pair(g.question, w.sentences) for g in groups for w in g.windows]
        with narrow():
            scores, says = self.network(pairs)
        which, whole, at = [], [], 0
        for group in groups:
            size = len(group.windows)
            gold = next((i for i, w in enumerate(group.windows) if w.answers), size)
            odds = torch.cat([says[at : at + size], says.new_zeros(1)])
            whole.append(-log_softmax(odds, dim=0)[gold])
            if gold < size:
                target = says.new_tensor(group.windows[gold].target)
                chances = log_softmax(scores[at + gold], dim=0)
                which.append(-(target / target.sum() * chances).sum())
            at += size
        sentence = torch.stack(which).mean() if which else says.new_zeros(())
        passage = torch.stack(whole).mean()
        self._optimizer.zero_grad()
        torch.autograd.backward(sentence + SAYS * passage)
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(sentence.detach()), float(passage.detach())

    def _pair(self, question: str, parts: Sequence[str]) -> Pair:
        ids = self._cutter.ids
        return paired(self._cutter, ids(question), [ids(part) for part in parts])

    def _set_rate(self, share: float) -> None:
        for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
            group["lr"] = rate * share

    def _record(
        self,
        step: int,
        spent: float,
        losses: Sequence[tuple[float, float]],
        kept: Sequence[Collection],
    ) -> None:
        self._mean.save(self._work / f"step-{step}.safetensors")
        told = {
            "step": step,
            "minutes": round(spent / 60, 1),
            "loss": np.mean(losses, axis=0).round(3).tolist() if losses else None,
            "kept back": [self.measured(collection) for collection in kept],
        }
        print(json.dumps(told), flush=True)
        with (self._work / "log.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(told) + "\n")

    def measured(self, collection: Collection) -> dict[str, float]:
        """Best sentence right, and how well answered questions stand above unanswered ones."""
        right, there, absent = list[bool](), list[float](), list[float]()
        for asking, scores, says in self._readings(collection):
            (there if asking.answered else absent).append(says)
            passage = collection.passages[asking.near]
            target = overlap(asking.answer, passage) if asking.answered else ()
            if any(target):
                right.append(target[int(scores.argmax())] > 0)
        told = {"sentence": round(float(np.mean(right)), 3)}
        if absent:
            told |= {"auc": area(there, absent), "refused at 0.08": refused(there, absent, 0.08)}
        return told

    def _readings(self, collection: Collection) -> Iterator[tuple[Asking, Tensor, float]]:
        """Each question, the scores of its passage's sentences, and what the passage says."""
        network = self._mean.eval()
        for at in range(0, len(collection.asked), TOGETHER):
            some = collection.asked[at : at + TOGETHER]
            passages = [collection.passages[asking.near] for asking in some]
            pairs = [
                self._pair(asking.question, [passage[b:e] for b, e in sentences(passage)])
                for asking, passage in zip(some, passages, strict=True)
            ]
            with torch.inference_mode():
                scores, says = network(pairs)
            yield from zip(some, scores, says.tolist(), strict=True)


def _batches(
    sources: Sequence[tuple[float, Groups | ClusterGroups]], chance: random.Random
) -> Iterator[list[Group]]:
    """Groups of all sources mixed, about TOGETHER passages at a time, without end."""
    while True:
        order = [
            (groups, place)
            for share, groups in sources
            for place in _places(len(groups), share, chance)
        ]
        chance.shuffle(order)
        batch: list[Group] = []
        for groups, place in order:
            batch.append(groups.draw(place))
            if sum(len(group.windows) for group in batch) >= TOGETHER:
                yield batch
                batch = []


def _places(size: int, share: float, chance: random.Random) -> list[int]:
    """Each place as often as the share has whole numbers, and of the rest as many as are left."""
    again, part = divmod(share, 1)
    return [*range(size)] * int(again) + chance.sample(range(size), int(part * size))


if __name__ == "__main__":
    main()
