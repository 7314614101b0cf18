"""The JSON that the command line prints: other programs rely on these names."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from corpus.article import Article
from rag.errors import CanaryFell
from rag.index_text import heading_of
from rag.result import Answer, Citation, GenerationStatus, Hit, ReindexReport
from rag.term_lookup import Lookup
from rag.trace import Trace
from rag.writing import Writing

Json = dict[str, Any]


def answer_form(answer: Answer, ident: object = None) -> Json:
    """An answer; `id` comes first and only when the question had one."""
    return {
        **({} if ident is None else {"id": ident}),
        "question": answer.question,
        "variant": answer.variant,
        "status": answer.status,
        "answer": answer.text,
        "citations": [_citation(citation) for citation in answer.citations],
        "passages": [_passage(hit) for hit in answer.hits],
        "engine": answer.engine,
        "degraded": answer.degraded,
        "generation": answer.generation,
        "timings_ms": {name: round(ms, 2) for name, ms in asdict(answer.timings).items()},
    }


def search_form(question: str, hits: Sequence[Hit], generation: str) -> Json:
    """Ranked passages with the scores of both legs."""
    return {
        "question": question,
        "generation": generation,
        "passages": [
            {
                **_passage(hit),
                "id": hit.passage.id,
                "start": hit.passage.start,
                "end": hit.passage.end,
                "lexical": _rounded(hit.lexical),
                "dense": _rounded(hit.dense),
                "lexical_rank": hit.lexical_rank,
                "dense_rank": hit.dense_rank,
            }
            for hit in hits
        ],
    }


def trace_form(trace: Trace) -> Json:
    """Everything that decided an answer."""
    return {
        **search_form(trace.question, trace.hits, trace.generation),
        "searched": trace.searched,
        "folded": trace.folded,
        "forms": trace.forms,
        "kinds": list(trace.kinds),
        "support": round(trace.support, 4),
        "threshold": trace.threshold,
        "status": trace.status,
        "sentences": [
            {"text": s.text, "passage": s.hit.passage.id, "score": round(s.score, 3)}
            for s in trace.sentences
        ],
        "fusion": dict(trace.fusion),
        **({} if trace.writing is None else {"model": _writing(trace.writing)}),
    }


def _writing(writing: Writing) -> Json:
    return {
        "engine": writing.engine,
        "degraded": writing.degraded,
        "searched": list(writing.queries),
        "answer": writing.draft.text,
        "verified": writing.verified,
        "usage": asdict(writing.usage) if writing.usage else None,
        "claims": [
            {"text": g.claim.text, "verdict": g.verdict, "found": g.found, "claimed": g.claimed}
            for g in writing.grounded
        ],
    }


def reindex_form(report: ReindexReport) -> Json:
    """What a reindex did."""
    changes = report.articles
    return {
        "generation": report.generation,
        "articles": {
            "added": list(changes.added),
            "changed": list(changes.changed),
            "removed": list(changes.removed),
            "unchanged": changes.unchanged,
            "failed": [{"path": f.path, "reason": f.reason} for f in changes.failed],
        },
        "passages": report.passages,
        "embedded": report.embedded,
        "seconds": round(report.seconds, 3),
        **({"dry_run": True} if report.dry_run else {}),
    }


def refused_form(error: CanaryFell) -> Json:
    """A new index that was not let serve: why, and the golden questions that got worse."""
    return {
        "error": str(error),
        "asked": error.asked,
        "fall": error.fall,
        "worse": [asdict(question) for question in error.worse],
    }


def status_form(status: GenerationStatus) -> Mapping[str, Any]:
    """What is indexed now."""
    return {**asdict(status), "kept": list(status.kept)}


def lookup_form(lookup: Lookup) -> Json:
    """A word in all its forms and where they occur."""
    return {
        "word": lookup.word,
        "groups": [
            {"forms": list(group.forms), "own": group.own, "indexed": group.indexed}
            for group in lookup.groups
        ],
        "count": lookup.count,
        "passages": [
            {
                "article": _article(place.article),
                "heading": heading_of(place.article, place.passage),
                "text": place.passage.text,
                "start": place.start,
                "end": place.end,
                "forms": list(place.forms),
            }
            for place in lookup.places
        ],
    }


def _citation(citation: Citation) -> Json:
    hit = citation.hit
    return {
        "n": citation.n,
        "article": _article(hit.article),
        "heading": heading_of(hit.article, hit.passage),
        "quote": citation.quote,
        "start": citation.start,
        "end": citation.end,
        "passage": hit.passage.text,
        "score": _rounded(citation.score),
    }


def _passage(hit: Hit) -> Json:
    return {
        "article": _article(hit.article),
        "heading": heading_of(hit.article, hit.passage),
        "text": hit.passage.text,
        "score": _rounded(hit.score),
    }


def _article(article: Article) -> Json:
    return {
        name: getattr(article, name) for name in ("id", "title", "path", "url", "author", "date")
    }


def _rounded(score: float | None) -> float | None:
    return None if score is None else round(score, 4)
