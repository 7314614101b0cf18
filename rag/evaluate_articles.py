"""An evaluation over the installed articles, asked about as people ask.

A question is {"question", "gold_quotes", "answer_must"}; "article": "none" is to be refused.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from time import perf_counter

from rag.answer import Answerer, Draft
from rag.evaluation import Evaluation, K, Looked, Row, Scores, examine, on_each_leg, plain
from rag.examined import Examined, share
from rag.generation import Generation
from rag.result import Hit
from rag.retrieve import Retrieval, Retriever
from rag.variant import resolve


def evaluate_articles(
    generation: Generation, retriever: Retriever, answerer: Answerer, questions: Sequence[Row]
) -> Evaluation:
    """hit@k and MRR of the gold quotes, how answers and refusals turn out, and each question."""
    outcomes, examined = [], []
    for row in questions:
        began = perf_counter()
        outcome = _outcome(generation, retriever, answerer, row)
        took = 1000 * (perf_counter() - began)
        evidence = retriever.gather(generation, row["question"], row.get("history") or ())
        found = on_each_leg(retriever, generation, evidence)
        ranks = {name: outcome.rank_in(each.hits) for name, each in found.items()}
        looked = Looked(generation, outcome.retrieval, outcome.draft, took, ranks)
        outcomes.append(outcome)
        examined.append(_examined_outcome(outcome, looked, answerer))
    return Evaluation(_article_scores(outcomes), tuple(examined))


def _examined_outcome(outcome: "Outcome", looked: Looked, answerer: Answerer) -> Examined:
    row, gold = outcome.row, _gold_groups(outcome.row)
    right = None
    if not outcome.to_refuse:
        right = _correct(row, gold, looked.anyway(answerer, row["question"]))
    quotes = [plain(quote) for group in gold for quote in group]
    return examine(
        row,
        looked,
        to_refuse=outcome.to_refuse,
        rank=outcome.rank,
        fine=outcome.fine,
        right=right,
        is_gold=lambda hit: any(quote in plain(hit.passage.text) for quote in quotes),
    )


def _article_scores(outcomes: "Sequence[Outcome]") -> Scores:
    wanted = sorted({o.variant for o in outcomes})
    kinds = sorted({o.kind for o in outcomes})
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
    retrieval: Retrieval

    def rank_in(self, hits: Sequence[Hit]) -> int | None:
        """The rank by which other hits hold what this question wants."""
        gold = _gold_groups(self.row)
        return _rank_of_all(gold, [hit.passage.text for hit in hits]) if gold else None

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
    retrieval = retriever.retrieve(generation, row["question"], history, K)
    draft = answerer.answer(generation, retrieval.best(5), resolve(row["question"]))
    gold = _gold_groups(row)
    rank = _rank_of_all(gold, [hit.passage.text for hit in retrieval.hits]) if gold else None
    return Outcome(row, rank, draft, _correct(row, gold, draft), retrieval)


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
    folded = [plain(text) for text in texts]
    ranks = [
        next((n for n, text in enumerate(folded, 1) if any(plain(q) in text for q in group)), None)
        for group in groups
    ]
    return None if None in ranks else max(rank for rank in ranks if rank is not None)


def _correct(row: Row, gold: Sequence[Sequence[str]], draft: Draft) -> bool:
    """Every must-group met by the answer, nothing forbidden in it, and a gold passage cited."""
    if draft.status == "refused":
        return False
    answer = plain(draft.text)
    cited = [plain(citation.hit.passage.text) for citation in draft.citations]
    must = all(any(plain(m) in answer for m in group) for group in row.get("answer_must") or ())
    must_not = any(plain(m) in answer for m in row.get("answer_must_not") or ())
    found = bool(gold) and all(
        any(plain(quote) in text for quote in group for text in cited) for group in gold
    )
    return must and not must_not and found


def _summary(outcomes: Sequence[Outcome]) -> Scores:
    answerable = [o for o in outcomes if not o.to_refuse]
    to_refuse = [o for o in outcomes if o.to_refuse]
    ranks = [o.rank for o in answerable]
    return {
        **{f"hit@{k}": share(r is not None and r <= k for r in ranks) for k in (1, 3, 5)},
        "mrr": share([1 / r if r else 0.0 for r in ranks]),
        "answered": share(not o.refused for o in answerable),
        "correct": share(o.correct for o in answerable),
        "refused": share(o.fine for o in to_refuse),
        "over_refused": share(o.refused for o in answerable),
    }
