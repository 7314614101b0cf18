"""Figures: how well passages are found, questions answered, and unanswerable ones refused.

Here passages are given with the questions: {"id", "title", "text"} and {"passage_id", "answers"}.
`rag.evaluate_articles` asks about the installed articles.
"""

import tempfile
from collections import defaultdict
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from corpus.article import Article, Passage
from rag.answer import Answerer, Draft
from rag.assemble import Material, Origin, embed_all, seal, write_generation
from rag.cache import EmbeddingCache
from rag.embed import Embedder
from rag.evaluate_articles import evaluate_articles
from rag.evaluation import (
    LEGS,
    Evaluation,
    K,
    Looked,
    Row,
    Scores,
    examine,
    on_each_leg,
    plain,
    read_rows,
)
from rag.examined import Examined, share
from rag.generation import Generation
from rag.result import Hit
from rag.retrieve import Retriever
from rag.variant import purity, resolve

__all__ = [
    "Evaluation",
    "Row",
    "Scores",
    "evaluate_articles",
    "evaluate_passages",
    "read_rows",
    "throwaway",
]


def evaluate_passages(
    generation: Generation,
    embedder: Embedder,
    answerer: Answerer,
    questions: Sequence[Row],
) -> Evaluation:
    """hit@k, MRR@10, legs, the share of answers whose cited sentences hold a gold answer; and what
    became of each question.

    Questions whose `passage_id` is null must be refused and count for nothing else.
    """
    fused, legs = Tally(), {name: Tally() for name in LEGS}
    retriever = Retriever(embedder, reader=answerer.reader)
    examined = []
    for row in questions:
        gold = row.get("passage_id")
        began = perf_counter()
        evidence = retriever.gather(generation, row["question"], row.get("history") or ())
        retrieval = retriever.rank(generation, evidence, K)
        variant = resolve(row["question"])
        draft = answerer.answer(generation, retrieval.best(5), variant)
        took = 1000 * (perf_counter() - began)
        found = on_each_leg(retriever, generation, evidence)
        ranks = {name: _place(each.hits, gold) for name, each in found.items()}
        fused.count(row, _place(retrieval.hits, gold), draft)
        fused.script(draft, variant)
        if gold is not None:
            for name, rank in ranks.items():
                legs[name].count(row, rank, None)
        looked = Looked(generation, retrieval, draft, took, ranks)
        examined.append(_examined_passage(row, looked, answerer))
    scores = {
        "passages": len(generation.content),
        **fused.scores(),
        "legs": {name: tally.ranking() for name, tally in legs.items()},
        "latency_ms": _latency([e.milliseconds for e in examined]),
        "by": fused.by(),
    }
    return Evaluation(scores, tuple(examined))


def _examined_passage(row: Row, looked: Looked, answerer: Answerer) -> Examined:
    gold, draft = row.get("passage_id"), looked.draft
    answers = row.get("answers") or ()
    right = None if gold is None else cited_holds(looked.anyway(answerer, row["question"]), answers)
    refused = draft.status == "refused"
    return examine(
        row,
        looked,
        to_refuse=gold is None,
        rank=_place(looked.retrieval.hits, gold),
        fine=refused if gold is None else not refused and bool(right),
        right=right,
        is_gold=lambda hit: gold is not None and hit.article.id == gold,
    )


@contextmanager
def throwaway(rows: Sequence[Row], embedder: Embedder, cache_path: Path) -> Iterator[Generation]:
    """A generation over given passages, one article each, gone when the block ends."""
    articles = {row["id"]: _article(row) for row in rows}
    passages = [_whole(article) for article in articles.values()]
    material = Material(articles, passages)
    cache_path.parent.mkdir(parents=True, exist_ok=True)
    cache = EmbeddingCache(cache_path)
    try:
        vectors, _ = embed_all(material, embedder, cache, lambda _: None)
    finally:
        cache.close()
    with tempfile.TemporaryDirectory(prefix="youju-eval-") as folder:
        staged = Path(folder) / "evaluation"
        staged.mkdir()
        write_generation(staged, material, vectors, lambda _: None, Path(folder))
        seal(staged, Origin(None, "", {}, ()), material, vectors, embedder.name)
        generation = Generation.open(staged)
        try:
            yield generation
        finally:
            generation.close()


class Tally:
    """Ranks and answers, counted for all questions and for each variant and kind."""

    def __init__(self) -> None:
        self._rows: list[tuple[Row, int | None, Draft | None]] = []
        self._script = [0, 0]

    def count(self, row: Row, rank: int | None, draft: Draft | None) -> None:
        self._rows.append((row, rank, draft))

    def script(self, draft: Draft, variant: Any) -> None:
        wanted, bearing = purity(draft.text, variant)
        self._script[0] += wanted
        self._script[1] += bearing

    def ranking(self, rows: Sequence[tuple[Row, int | None, Draft | None]] | None = None) -> Scores:
        chosen = self._rows if rows is None else rows
        ranks = [rank for row, rank, _ in chosen if row.get("passage_id") is not None]
        return {
            **{f"hit@{k}": share(r is not None and r <= k for r in ranks) for k in (1, 5, 10)},
            "mrr@10": share([1 / r if r else 0.0 for r in ranks]),
        }

    def scores(self, rows: Sequence[tuple[Row, int | None, Draft | None]] | None = None) -> Scores:
        chosen = self._rows if rows is None else rows
        drafts = [(row, draft) for row, _, draft in chosen if draft is not None]
        answerable = [(r, d) for r, d in drafts if r.get("passage_id") is not None]
        unanswerable = [d for r, d in drafts if r.get("passage_id") is None]
        return {
            "questions": len(chosen),
            **self.ranking(chosen),
            "answer_in_best": share(cited_holds(d, r["answers"]) for r, d in answerable),
            "answer_in_best_sentence": share(best_holds(d, r["answers"]) for r, d in answerable),
            "over_refused": share(d.status == "refused" for _, d in answerable),
            "refused": share(d.status == "refused" for d in unanswerable),
            "script": round(self._script[0] / (self._script[1] or 1), 5),
        }

    def by(self) -> Scores:
        """The same for each variant and kind that the questions name."""
        groups: dict[str, dict[str, list[Any]]] = {
            "variant": defaultdict(list),
            "kind": defaultdict(list),
        }
        for entry in self._rows:
            for name, values in groups.items():
                if entry[0].get(name):
                    values[str(entry[0][name])].append(entry)
        return {
            name: {value: self.scores(rows) for value, rows in sorted(values.items())}
            for name, values in groups.items()
            if values
        }


def _place(hits: Sequence[Hit], passage_id: object) -> int | None:
    for rank, hit in enumerate(hits, 1):
        if hit.article.id == passage_id:
            return rank
    return None


def cited_holds(draft: Draft, answers: Sequence[str]) -> bool:
    """Whether one citation holds an answer."""
    cited = [plain(citation.quote) for citation in draft.citations]
    return any(plain(answer) in quote for answer in answers for quote in cited)


def best_holds(draft: Draft, answers: Sequence[str]) -> bool:
    """Whether the sentence that is likest an answer, refused or not, holds one."""
    best = plain(draft.sentences[0].text) if draft.sentences else ""
    return any(plain(answer) in best for answer in answers)


def _article(row: Row) -> Article:
    return Article(id=row["id"], path=row["id"], title=row.get("title") or "", text=row["text"])


def _whole(article: Article) -> Passage:
    return Passage(article.id, article.id, 0, 0, len(article.text), article.text)


def _latency(milliseconds: Sequence[float]) -> Scores:
    p50, p95 = np.percentile(milliseconds, [50, 95]) if milliseconds else (0.0, 0.0)
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}
