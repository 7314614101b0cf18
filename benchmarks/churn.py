"""How well a graph answers that was copied and changed, against one built afresh.

    python -m benchmarks.churn --news NEWS.jsonl.gz --passages 10000 --home /dev/shm/churn

For each share of vectors deleted and as many others added: seconds, recall of the best 50 against
brute force for passages' own vectors and for random mixtures of two, and what one query takes.
"""

import argparse
import json
import shutil
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchmarks.made import Projected, texts
from rag.collection import Collection
from rag.embed import load_embedder
from rag.filling import copy_frozen, take_out, writable

_SHARES = (0.0, 0.1, 0.2, 0.5, 1.0)
_STEP = 0.1  # of the passages that change at once; more is done in several steps
_QUESTIONS = 200
_BEST = 50
_BATCH = 5000
Vectors = NDArray[np.float32]


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--news", type=Path)
    parser.add_argument("--passages", type=int, default=10_000)
    parser.add_argument("--home", type=Path, required=True)
    given = parser.parse_args()
    size: int = given.passages
    most = size * (1 + max(_SHARES))
    vectors = _vectors(given.news, int(most) + 1)
    fresh = given.home / "fresh"
    shutil.rmtree(given.home, ignore_errors=True)
    fresh.mkdir(parents=True)
    took = _write(fresh, vectors, range(size))
    for share in _SHARES:
        began = time.monotonic()
        copy = given.home / "copy"
        copy_frozen(fresh, copy)
        held = _churned(copy, vectors, size, share)
        seconds = time.monotonic() - began
        told = {"share": share, "seconds": round(seconds, 2), "afresh": round(took, 2)}
        print(json.dumps(told | _quality(copy, vectors, held)), flush=True)
        shutil.rmtree(copy)
    shutil.rmtree(given.home)
    return 0


def _vectors(news: Path | None, count: int) -> Vectors:
    """Of stretches of 240 characters, no two alike."""
    found: dict[str, None] = {}
    for text in texts(news, count):
        found |= dict.fromkeys(text[at : at + 240] for at in range(0, len(text), 240))
        if len(found) >= count:
            break
    projected = Projected(load_embedder(""))
    chosen = list(found)[:count]
    batches = range(0, len(chosen), _BATCH)
    return np.concatenate([projected.embed_passages(chosen[at : at + _BATCH]) for at in batches])


def _write(directory: Path, vectors: Vectors, rows: Sequence[int]) -> float:
    began = time.monotonic()
    with writable(directory) as collection:
        _add(collection, vectors, rows)
    return time.monotonic() - began


def _add(collection: Any, vectors: Vectors, rows: Sequence[int]) -> None:
    for start in range(0, len(rows), _BATCH):
        chunk = list(rows[start : start + _BATCH])
        collection.add(ids=[str(row) for row in chunk], embeddings=vectors[chunk])


def _churned(directory: Path, vectors: Vectors, size: int, share: float) -> list[int]:
    """Delete and add in steps, each in its own opening; the rows that are there at the end."""
    held, next_row, chance = list(range(size)), size, np.random.default_rng(3)
    left = round(share * size)
    while left:
        step = min(left, round(_STEP * size))
        gone = set(chance.choice(held, step, replace=False).tolist())
        new = range(next_row, next_row + step)
        with writable(directory) as collection:
            take_out(collection, [str(row) for row in gone])
            _add(collection, vectors, new)
        held = [row for row in held if row not in gone] + list(new)
        next_row, left = next_row + step, left - step
    return held


def _quality(directory: Path, vectors: Vectors, held: Sequence[int]) -> dict[str, float]:
    chance, here = np.random.default_rng(4), vectors[list(held)]
    own = here[chance.choice(len(here), _QUESTIONS)]
    mixed = here[chance.choice(len(here), _QUESTIONS)] + here[chance.choice(len(here), _QUESTIONS)]
    mixed /= np.linalg.norm(mixed, axis=1, keepdims=True)
    collection = Collection.open(directory)
    collection.nearest(own[0], 1)
    began = time.monotonic()
    found = [[cosine for _, cosine in collection.nearest(q, _BEST)] for q in (*own, *mixed)]
    each = 1000 * (time.monotonic() - began) / (2 * _QUESTIONS)
    collection.close()
    recalls = [_recall(here @ q, f) for q, f in zip((*own, *mixed), found, strict=True)]
    return {
        "recall_own": round(float(np.mean(recalls[:_QUESTIONS])), 5),
        "recall_mixed": round(float(np.mean(recalls[_QUESTIONS:])), 5),
        "query_ms": round(each, 2),
    }


def _recall(cosines: NDArray[np.float32], found: Sequence[float]) -> float:
    """The share of the best that were found; equal cosines are as good as each other."""
    least = np.sort(cosines)[-_BEST]
    return sum(cosine >= least - 1e-5 for cosine in found) / _BEST


if __name__ == "__main__":
    sys.exit(main())
