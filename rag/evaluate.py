"""Figures: how well passages are found, questions answered, and unanswerable ones refused."""

import json
import re
import tempfile
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import perf_counter
from typing import Any

import numpy as np

from corpus.article import Article, Passage
from rag.answer import Answerer, Draft
from rag.assemble import Material, Origin, embed_all, seal, write_generation
from rag.cache import EmbeddingCache
from rag.embed import Embedder
from rag.errors import UsageError
from rag.fold import fold
from rag.generation import Generation
from rag.result import Hit
from rag.retrieve import Fusion, Retriever
from rag.variant import purity, resolve

_K = 10
_LEGS = {"lexical": Fusion(dense=0.0), "dense": Fusion(ngrams=0.0, ideas=0.0)}
# Marks of layout that a quotation from a source file may carry and a cleaned passage does not.
_LAYOUT = re.compile(r"[\s*_>#`]+")
Row = Mapping[str, Any]
Scores = dict[str, Any]


class BadEvaluationFile(UsageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The evaluation file {path} cannot be used ({why}).")
        self.path, self.why = path, why


def read_rows(path: Path, *required: str) -> list[Row]:
    """The objects of a JSON-lines file; BadEvaluationFile names the line that is wrong."""
    rows: list[Row] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvaluationFile(path, str(error)) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadEvaluationFile(path, f"line {number} is not JSON") from error
        missing = [name for name in required if not isinstance(row, dict) or name not in row]
        if missing:
            raise BadEvaluationFile(path, f"line {number} has no {missing[0]!r}")
        rows.append(row)
    if not rows:
        raise BadEvaluationFile(path, "it is empty")
    return rows


# Passages given with the questions: {"id", "title", "text"} and {"passage_id", "answers"}.


def score_passages(
    generation: Generation,
    embedder: Embedder,
    answerer: Answerer,
    questions: Sequence[Row],
) -> Scores:
    """hit@k, MRR@10, legs, and the share of answers whose cited sentences hold a gold answer.

    Questions whose `passage_id` is null must be refused and count for nothing else.
    """
    fused, legs = Tally(), {name: Tally() for name in _LEGS}
    retriever = Retriever(embedder)
    latencies: list[float] = []
    for row in questions:
        gold = row.get("passage_id")
        began = perf_counter()
        evidence = retriever.gather(generation, row["question"], row.get("history") or ())
        retrieval = retriever.rank(generation, evidence, _K)
        variant = resolve(row["question"])
        draft = answerer.answer(generation, retrieval.best(5), variant)
        latencies.append(1000 * (perf_counter() - began))
        fused.count(row, _place(retrieval.hits, gold), draft)
        fused.script(draft, variant)
        if gold is None:
            continue
        for name, fusion in _LEGS.items():
            found = retriever.rank(generation, evidence, _K, fusion)
            legs[name].count(row, _place(found.hits, gold), None)
    return {
        "passages": len(generation.content),
        **fused.scores(),
        "legs": {name: tally.ranking() for name, tally in legs.items()},
        "latency_ms": _latency(latencies),
        "by": fused.by(),
    }


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


# The installed articles: {"question", "gold_quotes", "answer_must", "article": "none" to refuse}.


def score_articles(
    generation: Generation, retriever: Retriever, answerer: Answerer, questions: Sequence[Row]
) -> Scores:
    """hit@k and MRR of the gold quotes, and how answers and refusals turn out."""
    outcomes = [_outcome(generation, retriever, answerer, row) for row in questions]
    wanted = sorted({str(row.get("q_variant", "?")) for row in questions})
    kinds = sorted({str(row.get("kind", "?")) for row in questions})
    return {
        "questions": len(outcomes),
        **_summary(outcomes),
        "by": {
            "variant": {v: _summary([o for o in outcomes if o.variant == v]) for v in wanted},
            "kind": {k: _summary([o for o in outcomes if o.kind == k]) for k in kinds},
        },
        "failures": [o.told() for o in outcomes if not o.fine],
    }


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one question about the articles."""

    row: Row
    rank: int | None
    draft: Draft
    correct: bool

    @property
    def variant(self) -> str:
        return str(self.row.get("q_variant", "?"))

    @property
    def kind(self) -> str:
        return str(self.row.get("kind", "?"))

    @property
    def to_refuse(self) -> bool:
        return self.row.get("article") == "none"

    @property
    def refused(self) -> bool:
        return self.draft.status == "refused"

    @property
    def fine(self) -> bool:
        return self.correct if not self.to_refuse else self.refused or self.correct

    def told(self) -> Scores:
        return {
            "id": self.row.get("id"),
            "question": self.row["question"],
            "rank": self.rank,
            "status": self.draft.status,
            "support": round(self.draft.support, 3),
            "answer": self.draft.text,
        }


def _outcome(generation: Generation, retriever: Retriever, answerer: Answerer, row: Row) -> Outcome:
    history = row.get("history") or ()
    retrieval = retriever.retrieve(generation, row["question"], history, _K)
    draft = answerer.answer(generation, retrieval.best(5), resolve(row["question"]))
    gold = _gold_groups(row)
    rank = _rank_of_all(gold, [hit.passage.text for hit in retrieval.hits]) if gold else None
    return Outcome(row, rank, draft, _correct(row, gold, draft))


def _gold_groups(row: Row) -> list[list[str]]:
    """Groups of quotes: of each group one must be there."""
    quotes = list(row.get("gold_quotes") or row.get("correction_quotes") or [])
    if row.get("gold_groups"):
        return [list(group) for group in row["gold_groups"]]
    if row.get("all_required"):
        return [[quote] for quote in quotes]
    return [quotes] if quotes else []


def _rank_of_all(groups: Sequence[Sequence[str]], texts: Sequence[str]) -> int | None:
    """The rank from 1 by which every group was met; None when one never was."""
    plain = [_plain(text) for text in texts]
    ranks = [
        next((n for n, text in enumerate(plain, 1) if any(_plain(q) in text for q in group)), None)
        for group in groups
    ]
    return None if None in ranks else max(rank for rank in ranks if rank is not None)


def _correct(row: Row, gold: Sequence[Sequence[str]], draft: Draft) -> bool:
    """Every must-group met by the answer, nothing forbidden in it, and a gold passage cited."""
    if draft.status == "refused":
        return False
    answer = _plain(draft.text)
    cited = [_plain(citation.hit.passage.text) for citation in draft.citations]
    must = all(any(_plain(m) in answer for m in group) for group in row.get("answer_must") or ())
    must_not = any(_plain(m) in answer for m in row.get("answer_must_not") or ())
    found = bool(gold) and all(
        any(_plain(quote) in text for quote in group for text in cited) for group in gold
    )
    return must and not must_not and found


def _summary(outcomes: Sequence[Outcome]) -> Scores:
    answerable = [o for o in outcomes if not o.to_refuse]
    to_refuse = [o for o in outcomes if o.to_refuse]
    ranks = [o.rank for o in answerable]
    return {
        **{f"hit@{k}": _share(r is not None and r <= k for r in ranks) for k in (1, 3, 5)},
        "mrr": _mean([1 / r if r else 0.0 for r in ranks]),
        "answered": _share(not o.refused for o in answerable),
        "correct": _share(o.correct for o in answerable),
        "refused": _share(o.fine for o in to_refuse),
        "over_refused": _share(o.refused for o in answerable),
    }


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
            **{f"hit@{k}": _share(r is not None and r <= k for r in ranks) for k in (1, 5, 10)},
            "mrr@10": _mean([1 / r if r else 0.0 for r in ranks]),
        }

    def scores(self, rows: Sequence[tuple[Row, int | None, Draft | None]] | None = None) -> Scores:
        chosen = self._rows if rows is None else rows
        drafts = [(row, draft) for row, _, draft in chosen if draft is not None]
        answerable = [(r, d) for r, d in drafts if r.get("passage_id") is not None]
        unanswerable = [d for r, d in drafts if r.get("passage_id") is None]
        return {
            "questions": len(chosen),
            **self.ranking(chosen),
            "answer_in_best": _share(_holds(d, r["answers"]) for r, d in answerable),
            "answer_in_best_sentence": _share(_best_holds(d, r["answers"]) for r, d in answerable),
            "over_refused": _share(d.status == "refused" for _, d in answerable),
            "refused": _share(d.status == "refused" for d in unanswerable),
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


def _holds(draft: Draft, answers: Sequence[str]) -> bool:
    cited = [_plain(citation.quote) for citation in draft.citations]
    return any(_plain(answer) in quote for answer in answers for quote in cited)


def _best_holds(draft: Draft, answers: Sequence[str]) -> bool:
    best = _plain(draft.sentences[0].text) if draft.sentences else ""
    return any(_plain(answer) in best for answer in answers)


def _plain(text: str) -> str:
    return _LAYOUT.sub("", fold(text))


def _article(row: Row) -> Article:
    return Article(id=row["id"], path=row["id"], title=row.get("title") or "", text=row["text"])


def _whole(article: Article) -> Passage:
    return Passage(article.id, article.id, 0, 0, len(article.text), article.text)


def _latency(milliseconds: Sequence[float]) -> Scores:
    p50, p95 = np.percentile(milliseconds, [50, 95]) if milliseconds else (0.0, 0.0)
    return {"p50": round(float(p50), 2), "p95": round(float(p95), 2)}


def _share(values: Any) -> float | None:
    return _mean([float(value) for value in values])


def _mean(values: Sequence[float]) -> float | None:
    """None over nothing, for 0 would look like a failure."""
    return round(float(np.mean(values)), 4) if values else None
