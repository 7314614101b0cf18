"""One side of the comparison in a process of its own: warm questions, or how well it finds.

    python -m benchmarks.worker warm SIDE FOLDER QUESTIONS.json
    python -m benchmarks.worker hits SIDE PASSAGES.jsonl QUESTIONS.jsonl STORE EVERY

SIDE is `ask` or `search` of youju, `linear` for `ask` with the linear reader alone, `stock`, or
`floor`: encoding and a Chroma query, nothing else.
Prints one JSON object.
"""

import json
import resource
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from benchmarks import stock

_WARM_UP = 15
_K = 10
Ask = Callable[[str], Any]


def warm(side: str, folder: Path, questions: Sequence[str]) -> dict[str, float]:
    """Milliseconds of questions after some others, and the memory at the end, in MiB."""
    ask = _side(side, folder)
    for question in questions[:_WARM_UP]:
        ask(question)
    took = []
    for question in questions[_WARM_UP:]:
        began = perf_counter()
        ask(question)
        took.append(1000 * (perf_counter() - began))
    p50, p95 = np.percentile(took, [50, 95])
    return {"p50": float(p50), "p95": float(p95), "mib": memory()}


def memory() -> float:
    """The most that this process held, in MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def _side(side: str, folder: Path) -> Ask:
    if side == "stock":
        found = stock.retriever(folder / "stock", stock.embedding())
        ask: Ask = found.retrieve
        return ask
    if side == "floor":
        return _floor(folder / "ours")
    from rag.build import build_service
    from rag.settings import Settings

    chosen = {"rerank_model": "none"} if side == "linear" else {}
    service = build_service(Settings(data_dir=folder / "ours", _env_file=None, **chosen))
    return service.search if side == "search" else service.ask


def _floor(data_dir: Path) -> Ask:
    """Bare encoding and a bare Chroma query, over youju's own vectors."""
    import chromadb

    from rag.embed import load_embedder

    embedder = load_embedder()
    name = json.loads((data_dir / "CURRENT").read_text())["current"]
    client = chromadb.PersistentClient(str(data_dir / "generations" / name / "chroma"))
    (collection,) = client.list_collections()

    def ask(question: str) -> Any:
        vector = embedder.embed_query(question)
        return collection.query(query_embeddings=[vector], n_results=5)

    return ask


def hits(side: str, passages: Path, questions: Path, store: Path, every: int) -> dict[str, float]:
    """hit@1, hit@5 and MRR@10 of the passage that each question was written for."""
    from rag.evaluation import read_rows

    rows = read_rows(passages, "id", "text")
    asked = [q for q in read_rows(questions, "question", "passage_id") if q["passage_id"]][::every]
    ranks = (_stock_ranks if side == "stock" else _our_ranks)(rows, asked, store)
    reciprocal = [1 / r if r else 0.0 for r in ranks]
    shares = {f"hit@{k}": float(np.mean([r is not None and r <= k for r in ranks])) for k in (1, 5)}
    return {"questions": len(asked), **shares, "mrr": float(np.mean(reciprocal))}


def _stock_ranks(rows: Sequence[Any], asked: Sequence[Any], store: Path) -> list[int | None]:
    model = stock.embedding()
    store.mkdir(parents=True)
    stock.index(((r["id"], r.get("title") or "", r["text"]) for r in rows), store, model)
    retriever = stock.retriever(store, model, _K)
    return [
        _place(
            q["passage_id"],
            [hit.node.metadata["source"] for hit in retriever.retrieve(q["question"])],
        )
        for q in asked
    ]


def _our_ranks(rows: Sequence[Any], asked: Sequence[Any], store: Path) -> list[int | None]:
    from rag.embed import load_embedder
    from rag.evaluate import throwaway
    from rag.retrieve import Retriever

    embedder = load_embedder()
    retriever = Retriever(embedder)
    with throwaway(rows, embedder, store / "embeddings.sqlite") as index:
        return [
            _place(
                q["passage_id"],
                [h.article.id for h in retriever.retrieve(index, q["question"], (), _K).hits],
            )
            for q in asked
        ]


def _place(wanted: str, found: Sequence[str]) -> int | None:
    with suppress(ValueError):
        return list(dict.fromkeys(found)).index(wanted) + 1
    return None


def main() -> None:
    what, side, *rest = sys.argv[1:]
    if what == "warm":
        told = warm(side, Path(rest[0]), json.loads(Path(rest[1]).read_text("utf-8")))
    else:
        told = hits(side, Path(rest[0]), Path(rest[1]), Path(rest[2]), int(rest[3]))
    print(json.dumps(told))


if __name__ == "__main__":
    main()
