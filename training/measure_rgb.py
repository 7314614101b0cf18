"""RGB (Chen et al., 2024): answered from documents that say it, refused on those that do not.

    python -m training.measure_rgb --shared DIR --work DIR [--reader none] [--every 1]

Each question is asked twice, of an index over its positive documents and of one over its negative
documents, as if each were somebody's articles. Prints the shares at the shipped threshold and the
curve of rejection against over-refusal.
"""

import argparse
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from corpus.article import Article
from corpus.split import split
from rag.answer import Answerer, Draft
from rag.cross_reader import load_reader
from rag.embed import load_embedder
from rag.evaluate import throwaway
from rag.fold import fold
from rag.retrieve import Retriever
from rag.settings import Settings
from rag.support import Support
from training import texts
from training.curves import area, refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--shared", type=Path, required=True)
    parser.add_argument("--work", type=Path, required=True)
    parser.add_argument("--reader", default="")
    parser.add_argument("--every", type=int, default=1)
    options = parser.parse_args()
    threshold = Settings.model_fields["support"].default
    asker = Asker(options.work, Answerer(load_reader(options.reader), Support(), threshold))
    rows = list(texts.lines(options.shared / "eval" / "rgb_zh_a.jsonl.gz"))[:: options.every]
    there = [asker.ask(row["question"], row["positive"]) for row in rows]
    absent = [asker.ask(row["question"], row["negative"]) for row in rows if row["negative"]]
    right = [_holds(draft, row["answers"]) for draft, row in zip(there, rows, strict=True)]
    print(json.dumps(figures(there, absent, right), indent=1))


class Asker:
    """Asks one question of documents that nothing else is indexed with."""

    def __init__(self, work: Path, answerer: Answerer) -> None:
        self._work, self._answerer = work, answerer
        self._embedder = load_embedder()
        self._retriever = Retriever(self._embedder, reader=answerer.reader)

    def ask(self, question: str, documents: Sequence[str]) -> Draft:
        rows = list(_passages(documents))
        with throwaway(rows, self._embedder, self._work / "vectors.sqlite") as generation:
            retrieval = self._retriever.retrieve(generation, question)
            return self._answerer.answer(generation, retrieval, "hans")


def _passages(documents: Sequence[str]) -> Iterator[dict[str, Any]]:
    for number, document in enumerate(documents):
        name = str(number)
        for passage in split(Article(name, name, "", document)):
            yield {"id": passage.id, "text": passage.text}


def _holds(draft: Draft, answers: Sequence[Any]) -> bool:
    """Whether the cited sentences hold an answer, or each of those that must all be there."""
    cited = fold("".join(citation.quote for citation in draft.citations))
    flat = [a if isinstance(a, list) else [a] for a in answers]
    return any(all(fold(str(part)) in cited for part in parts) for parts in flat)


def figures(there: Sequence[Draft], absent: Sequence[Draft], right: Sequence[bool]) -> Any:
    supported = [draft.support for draft in there]
    unsupported = [draft.support for draft in absent]
    told: dict[str, Any] = {
        "answered from positives": _share(draft.status == "answered" for draft in there),
        "with a gold answer cited": _share(right),
        "refused on negatives": _share(draft.status == "refused" for draft in absent),
        "auc": area(supported, unsupported),
    }
    return told | {
        f"refused at {over} over-refused": refused(supported, unsupported, over)
        for over in (0.05, 0.1, 0.15, 0.2, 0.3)
    }


def _share(values: Any) -> float:
    return round(float(np.mean([*values])), 3)


if __name__ == "__main__":
    main()
