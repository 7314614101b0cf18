"""Train the reader: which sentence of a passage answers a question, if any does.

    python -m training.train_reader --shared DIR --vocabulary vocab.txt --start FILE --work DIR

`--start` holds an embedding model's weights (training.vocabulary or training.train_embedding).
Writes `reader.safetensors` (a running mean of the weights) into the work folder every `--every`
steps, with the losses and the figures on the kept-back questions in `reader.jsonl`.
"""

import argparse
import json
import pickle
import random
import time
from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor

from rag.reading_input import Row, row
from rag.wordpieces import WordPieces
from training import changes, texts
from training.reader_examples import (
    Collection,
    Example,
    colloquial,
    encyclopaedia,
    labelled,
)
from training.reader_network import ReaderNetwork

TABLE_RATE, BODY_RATE, HEAD_RATE = 3e-4, 6e-5, 1e-3
LIMIT = 192
BATCH = 16
CHARACTERS = (120, 180, 260)
# How often each kind of example is drawn.
SHARES = {
    "colloquial": 0.34,
    "encyclopaedia": 0.24,
    "unanswerable": 0.10,
    "answer taken out": 0.08,
    "other passage": 0.12,
    "other passage, encyclopaedia": 0.12,
}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--vocabulary", type=Path, required=True)
    parser.add_argument("--start", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--minutes", type=float, default=40)
    parser.add_argument("--every", type=int, default=100)
    parser.add_argument("--threads", type=int, default=2)
    options = parser.parse_args()
    torch.manual_seed(0)
    torch.set_num_threads(options.threads)
    options.work.mkdir(parents=True, exist_ok=True)
    tokens = options.vocabulary.read_text(encoding="utf-8").splitlines()
    material = _kept(options.work / "examples.pickle", options.shared)
    common = {token for token in tokens if len(token) == 1}
    change = changes.Changes(
        texts.thesaurus(options.shared), changes.sounds(options.shared, common)
    )
    trainer = Trainer(WordPieces(tokens), options.start, options.work)
    trainer.run(Dealer(material, change), options.minutes * 60, options.every)


Material = dict[str, list[Example]]


def _kept(path: Path, shared: Path) -> Material:
    """The examples, made once: it takes minutes."""
    if not path.is_file():
        path.write_bytes(pickle.dumps(material(shared)))
    found: Material = pickle.loads(path.read_bytes())  # our own file
    return found


def material(shared: Path) -> Material:
    """The examples of each kind, and "kept back" ones of the colloquial sets."""
    chance = random.Random(1)
    ours, theirs = colloquial(shared, learnt=True), encyclopaedia(shared)
    own, kept_back = dict(labelled(ours)), colloquial(shared, learnt=False)
    answered = [example for example in own.values() if example.answered]
    return {
        "colloquial": answered,
        "encyclopaedia": [example for _, example in labelled(theirs)],
        "unanswerable": [example for example in own.values() if not example.answered],
        "answer taken out": [e.without_answer() for e in answered if len(e.sentences) > 1],
        "other passage": _others(ours, chance),
        "other passage, encyclopaedia": _others(theirs, chance),
        "kept back": [e for _, e in labelled(kept_back)] + _others(kept_back, chance, 1)[::2],
    }


def _others(collection: Collection, chance: random.Random, each: int = 3) -> list[Example]:
    found = []
    for asking in collection.asked:
        rivals = collection.rivals(asking)
        for number in chance.sample(rivals, min(each, len(rivals))):
            found.append(collection.negative(asking, number))
    return found


class Dealer:
    """Draws batches: questions in changed words, passages cut to windows."""

    def __init__(self, material: Material, change: changes.Changes) -> None:
        self.kept_back = [_short(example) for example in material["kept back"]]
        self._material, self._change = material, change
        self._random = random.Random(2)
        self._queues: dict[str, list[Example]] = {name: [] for name in SHARES}

    def batch(self) -> list[Example]:
        names = self._random.choices(list(SHARES), list(SHARES.values()), k=BATCH)
        characters = self._random.choice(CHARACTERS)  # one length: no room lost to padding
        return [self._next(name, characters) for name in names]

    def _next(self, name: str, characters: int) -> Example:
        queue = self._queues[name]
        if not queue:
            queue += self._material[name]
            self._random.shuffle(queue)
        example = queue.pop().window(self._random, characters)
        question = self._change.question(example.question)
        return Example(question, example.sentences, example.target)


def _short(example: Example) -> Example:
    return example.window(random.Random(3), 300)


class Trainer:
    """Steps until the time is up; a running mean of the weights is what is saved."""

    def __init__(self, cutter: WordPieces, start: Path, work: Path) -> None:
        self._cutter, self._work = cutter, work
        self.network, self.mean = (ReaderNetwork(len(cutter.tokens)) for _ in range(2))
        self.network.start_from(start)
        self.mean.load_state_dict(self.network.state_dict())
        tables = [
            self.network.bert.embeddings.word_embeddings.weight,
            self.network.bert.embeddings.token_type_embeddings.weight,
        ]
        heads = [*self.network.head.parameters(), self.network.likeness]
        special = {id(p) for p in (*tables, *heads)}
        body = [p for p in self.network.parameters() if id(p) not in special]
        self._rates = (TABLE_RATE, BODY_RATE, HEAD_RATE)
        self._optimizer = torch.optim.AdamW(
            [{"params": group} for group in (tables, body, heads)], weight_decay=0.01, fused=True
        )

    def run(self, dealer: Dealer, seconds: float, every: int) -> None:
        """Train for so many seconds, the rates falling to zero."""
        began, step, losses = time.monotonic(), 0, []
        while (spent := time.monotonic() - began) < seconds:
            step += 1
            share = min(1.0, step / 30) * (1 - spent / seconds)
            for group, rate in zip(self._optimizer.param_groups, self._rates, strict=True):
                group["lr"] = rate * share
            losses.append(self.step(dealer.batch()))
            self._follow(min(0.99, step / (step + 10)))
            if step % every == 0:
                self._record(step, spent, losses, dealer.kept_back)
                losses = []
        self._record(step, seconds, losses, dealer.kept_back)

    def step(self, examples: Sequence[Example]) -> float:
        """One update; the mean loss in nats."""
        self.network.train()
        loss = _loss(self.network(self._rows(examples)), examples)
        self._optimizer.zero_grad()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), 1.0)
        self._optimizer.step()
        return float(loss.detach())

    @torch.inference_mode()
    def figures(self, examples: Sequence[Example]) -> dict[str, float]:
        """On answered examples how often the best sentence is right; and the AUC of "answered"."""
        self.mean.eval()
        right, there, absent = [], [], []
        for start in range(0, len(examples), 16):
            part = examples[start : start + 16]
            logits = self.mean(self._rows(part))
            for example, line in zip(part, logits, strict=True):
                answer = float(line[1:].logsumexp(0) - line[0])
                (there if example.answered else absent).append(answer)
                if example.answered:
                    right.append(example.target[int(line[1:].argmax())] > 0)
        wins = (torch.tensor(there)[:, None] > torch.tensor(absent)[None]).float().mean()
        return {"best": round(sum(right) / len(right), 3), "auc": round(float(wins), 3)}

    def _rows(self, examples: Sequence[Example]) -> list[Row]:
        return [row(self._cutter, e.question, e.sentences, LIMIT) for e in examples]

    @torch.no_grad()
    def _follow(self, keep: float) -> None:
        for mean, now in zip(self.mean.parameters(), self.network.parameters(), strict=True):
            mean.lerp_(now, 1 - keep)

    def _record(
        self, step: int, spent: float, losses: Sequence[float], examples: Sequence[Example]
    ) -> None:
        self.mean.save(self._work / "reader.safetensors")
        told = {
            "step": step,
            "minutes": round(spent / 60, 1),
            "loss": round(sum(losses) / max(1, len(losses)), 3),
            **self.figures(examples[::4]),
        }
        with (self._work / "reader.jsonl").open("a", encoding="utf-8") as log:
            log.write(json.dumps(told) + "\n")


def _loss(logits: Tensor, examples: Sequence[Example]) -> Tensor:
    """Cross entropy over "nothing here" and the sentences."""
    target = torch.zeros_like(logits)
    for place, example in enumerate(examples):
        target[place, 1 : 1 + len(example.target)] = torch.tensor(example.target)
        target[place, 0] = 0.0 if example.answered else 1.0
    return -(target * logits.log_softmax(dim=1)).sum(dim=1).mean()


if __name__ == "__main__":
    main()
