"""What each part of retrieval is worth: alone, with the others, and left out; and passage sizes.

python -m training.measure_parts --shared DIR --work DIR [--every N] [--sizes 160 240 320 480]

The first table gives first place / in five over the colloquial dev set, DRCD and CMRC2018; the
second (with --sizes) the same over the source articles, by the most characters of a passage.
"""

import argparse
import math
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from unittest.mock import patch

from rag import lexical, retrieve
from rag.build import build_service
from rag.cross_reader import load_reader
from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.evaluation import Row, read_rows
from rag.generation import Generation
from rag.retrieve import Retriever
from rag.settings import Settings

SETS = {
    "colloquial": ("colloquial", "colloquial_dev"),
    "DRCD": ("drcd_dev", "drcd_dev"),
    "CMRC2018": ("cmrc2018_dev", "cmrc2018_dev"),
}
Scores = dict[str, str]
Change = dict[str, float]  # other values of rag.retrieve.Fusion
ALWAYS = math.inf  # `trust` with which the embedding is heard however well the words cover
PARTS: dict[str, Change] = {
    "all": {},
    "first passages not read": {"judged": False},
    "first passages left in order": {"closely": False},
    "n-grams alone": {"ideas": 0.0, "dense": 0.0, "closely": False},
    "ideas alone": {"ngrams": 0.0, "dense": 0.0, "closely": False},
    "embedding alone": {"ngrams": 0.0, "ideas": 0.0, "trust": ALWAYS, "closely": False},
    "without n-grams": {"ngrams": 0.0, "trust": ALWAYS},
    "without ideas": {"ideas": 0.0},
    "without the embedding": {"dense": 0.0},
    "the embedding always heard, at 0.35": {"dense": 0.35, "trust": ALWAYS},
}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--shared", type=Path, required=True)
    arguments.add_argument("--work", type=Path, required=True)
    arguments.add_argument("--every", type=int, default=1, help="ask every N-th question only")
    arguments.add_argument("--sizes", type=int, nargs="*", default=(), help="passage_chars to try")
    options = arguments.parse_args()
    found = {
        name: measured(options.shared / "eval", files, options.work, options.every)
        for name, files in SETS.items()
    }
    show(["first / in five", *found], found)
    for size in options.sizes:
        print(f"| {size} | {sized(options.shared, options.work, size)} |", flush=True)


def measured(folder: Path, files: tuple[str, str], work: Path, every: int) -> Scores:
    """One set: each part, then what is changed elsewhere than in the fusion."""
    passages, asked = dev_set(folder, files, every)
    embedder, cache = load_embedder(), work / "embeddings.sqlite"
    retriever = Retriever(embedder, reader=load_reader(""))
    with throwaway(passages, embedder, cache) as generation:
        found = {"questions": str(len(asked))}
        found |= ranked(retriever, generation, asked, PARTS)
        with patch.object(lexical, "subject", lambda folded: folded):
            found |= ranked(retriever, generation, asked, {"question words kept": {}})
        with patch.object(retrieve, "_DEFINITION", 0.0):
            found |= ranked(retriever, generation, asked, {"definitions not raised": {}})
    bare = [{**row, "title": ""} for row in passages]
    with throwaway(bare, embedder, cache) as generation:
        return found | ranked(retriever, generation, asked, {"without titles": {}})


def dev_set(folder: Path, files: tuple[str, str], every: int) -> tuple[list[Row], list[Row]]:
    """The passages of a set and every N-th of its questions."""
    passages = read_rows(folder / f"{files[0]}.passages.jsonl", "id", "text")
    asked = read_rows(folder / f"{files[1]}.questions.jsonl", "question", "passage_id")
    return passages, asked[::every]


def ranked(
    retriever: Retriever, generation: Generation, asked: Sequence[Row], parts: dict[str, Change]
) -> Scores:
    """How often the passage that answers comes first, and among five, with each change."""
    hits = {name: [0, 0] for name in parts}
    for row in asked:
        evidence = retriever.gather(generation, row["question"], row.get("history") or ())
        for name, change in parts.items():
            found = retriever.rank(
                generation,
                evidence,
                5,
                replace(retriever.fusion, **change),  # type: ignore[arg-type]
            ).hits
            ids = [hit.article.id for hit in found]
            hits[name][0] += ids[:1] == [row["passage_id"]]
            hits[name][1] += row["passage_id"] in ids
    return {name: " / ".join(f"{n / len(asked):.4f}" for n in both) for name, both in hits.items()}


def sized(shared: Path, work: Path, size: int) -> str:
    """The source articles in passages of at most so many characters."""
    asked = read_rows(shared / "eval" / "dev_questions.jsonl", "question")
    folder = work / f"passages-{size}"
    settings = Settings(corpus_dir=shared / "seeds", data_dir=folder, passage_chars=size)
    service = build_service(settings)
    try:
        service.reindex()
        scores = service.examine(asked).scores
        return f"{scores['hit@1']:.2f} / {scores['hit@5']:.2f}"
    finally:
        service.close()


def show(head: Sequence[str], columns: dict[str, Scores]) -> None:
    """The table in Markdown."""
    print(f"| {' | '.join(head)} |\n|{'---|' * len(head)}")
    for part in next(iter(columns.values())):
        print(f"| {part} | {' | '.join(column[part] for column in columns.values())} |", flush=True)


if __name__ == "__main__":
    main()
