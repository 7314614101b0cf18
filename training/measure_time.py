"""How long a search and a whole reading take, one question after the other.

    python -m training.measure_time --shared DIR --work DIR [--questions 120]

Questions and passages of colloquial dev, the shipped models, every question asked once. Nothing
else should run on the machine. Prints milliseconds, median and 95th percentile.
"""

import argparse
import json
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.generation import Generation
from rag.passage_reader import PassageReader
from rag.retrieve import Retriever
from training.calibrate_support import colloquial_dev

_DEPTH, _SHOWN = 10, 5
_WARMING = ("這是什麼？", "how does it work?")  # the networks are loaded at the first question


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--questions", type=int, default=120)
    options = parser.parse_args()
    passages, rows = colloquial_dev(options.shared)
    asked = [row["question"] for row in rows[: options.questions]]
    with throwaway(passages, load_embedder(), options.work / "vectors.sqlite") as generation:
        print(json.dumps(timed(generation, asked), indent=1))


def timed(generation: Generation, questions: Sequence[str]) -> dict[str, list[float]]:
    """Median and 95th percentile in milliseconds of a search, and of a search that is read."""
    embedder, reader = load_embedder(), PassageReader()
    search, whole = Retriever(embedder), Retriever(embedder, reader=reader)
    searched, read = list[float](), list[float]()
    for question in (*_WARMING, *questions):
        begin = time.perf_counter()
        search.retrieve(generation, question, (), _DEPTH)
        between = time.perf_counter()
        found = whole.retrieve(generation, question, (), _DEPTH).best(_SHOWN)
        reader.read(found.searched, found.hits, generation.lexical)
        searched.append(between - begin)
        read.append(time.perf_counter() - between)
    return {"search": _percentiles(searched), "search and reading": _percentiles(read)}


def _percentiles(seconds: Sequence[float]) -> list[float]:
    warm = seconds[len(_WARMING) :]
    return [round(1000 * float(value), 1) for value in np.percentile(warm, [50, 95])]


if __name__ == "__main__":
    main()
