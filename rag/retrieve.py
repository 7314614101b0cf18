"""A question becomes ranked passages: two legs, one calibrated score, and a closer look."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from rag.addresses import asks_address, has_address, only_links, share_in_addresses
from rag.asides import load_asides
from rag.cantonese import in_mandarin
from rag.definition import definition_of
from rag.embed import Embedder
from rag.errors import VectorsUnreachable
from rag.fold import fold
from rag.generation import Generation
from rag.lexical import LexicalIndex, LexicalScores
from rag.metadata_questions import asks_link_of_cited, asks_only_metadata, metadata_asked
from rag.overview import Overview, beginnings, overview_asked
from rag.question import Query, in_context
from rag.ranker import LEAD, NEAR, Ranker, judge_of
from rag.regions import wordings
from rag.result import VECTORS, Hit
from rag.sections import asks_for_section
from rag.unknown_names import unknown_names

# Candidates taken from each leg; 100 changes nothing on any set.
_POOL = 50
_LOOKED_INTO = 30  # passages, for a definition or an address
_NOTHING_ELSE_ASKED = 1.0  # on the scale of the fused scores: above any body
_DEFINITION = 0.15
_IN_ADDRESS = 0.5
_AN_ADDRESS = 0.5
_OF_SECTION = 0.3


@dataclass(frozen=True, slots=True)
class Fusion:
    """How much each leg counts.

    `ngrams` and `ideas` multiply BM25 over its ceiling (how much of the question's weight a
    passage covers), `dense` the cosine. These are absolute scales: where a leg knows little its
    scores lie close together and the other decides, which z-scores and ranks throw away. The
    better the best passage covers the question's own words, the less the dense leg is heard:
    its weight falls by e with each `trust` of coverage. `metadata` is taken from a block of
    metadata, which names every subject of its article, unless the question asks for metadata;
    then it is added. `closely` is whether the first passages are looked at once more, `judged`
    whether they are read for it, if there is someone to read them. Figures of each alternative are
    in docs/EVALUATION.md.
    """

    ngrams: float = 1.0
    ideas: float = 0.7
    dense: float = 1.4
    trust: float = 0.14
    metadata: float = 0.15
    closely: bool = True
    judged: bool = True


@dataclass(frozen=True, slots=True)
class Evidence:
    """What both legs say of one question: BM25 of every row, cosines of the nearest.

    `degraded` is VECTORS where the dense leg could not be asked. `aside` is how likely, 0 to 1, the
    question is none, but said to the bot.
    """

    query: Query
    lexical: LexicalScores
    dense: Mapping[int, float]
    degraded: str | None = None
    aside: float = 0.0


@dataclass(frozen=True, slots=True)
class Retrieval:
    """The ranked passages of one question.

    `searched` is what they are to be read for, and `more` what was asked since, as in `Query`;
    `told` is all that was searched for, in one text. `unknown` are the names in the question
    that no passage knows, of all `among` that were searched. `aside` is as in Evidence. With an
    `overview` the passages are those that articles begin with.
    """

    searched: str
    hits: tuple[Hit, ...]
    degraded: str | None = None
    told: str = ""
    more: tuple[str, ...] = ()
    unknown: tuple[str, ...] = ()
    among: int = 0
    aside: float = 0.0
    overview: Overview | None = None

    def best(self, k: int) -> "Retrieval":
        """The same with the k best hits only."""
        return replace(self, hits=self.hits[:k])


class Retriever:
    """Searches one generation at a time; holds no index itself, and is safe to share.

    A `reader` that is a rag.ranker.Judge reads the passages that come first, which takes it longer
    than all else together; any other is not asked.
    """

    def __init__(
        self, embedder: Embedder, fusion: Fusion | None = None, reader: object = None
    ) -> None:
        self._embedder, self._ranker, self._judge = embedder, Ranker(), judge_of(reader)
        self.fusion = fusion or Fusion()

    def retrieve(
        self,
        generation: Generation,
        question: str,
        history: Sequence[str] = (),
        k: int = 5,
        fusion: Fusion | None = None,
    ) -> Retrieval:
        """The `k` best passages, best first; fewer when the index holds fewer."""
        return self.rank(generation, self.gather(generation, question, history), k, fusion)

    def gather(
        self, generation: Generation, question: str, history: Sequence[str] = ()
    ) -> Evidence:
        """Ask both legs; words alone where the vectors lie on a server that is away."""
        query = in_context(in_mandarin(question), [in_mandarin(earlier) for earlier in history])
        lexical = in_both_regions(generation.lexical, query.text)
        if query.earlier:
            earlier = in_both_regions(generation.lexical, query.earlier)
            lexical = lexical.plus(earlier, query.weight)
        vector = self._embedder.embed_query(query.text)
        # What follows a question ("and then?") leans on it, however it sounds alone; who wants an
        # article's link or date asks for it as one gives orders.
        asked = bool(history) or bool(metadata_asked(fold(query.text)))
        aside = 0.0 if asked else load_asides().chance(self._embedder, vector)
        try:
            dense = generation.nearest(self._in_context(vector, query), _POOL)
        except VectorsUnreachable:
            return Evidence(query, lexical, {}, VECTORS, aside)
        return Evidence(query, lexical, dict(dense), aside=aside)

    def _in_context(self, vector: NDArray[np.float32], query: Query) -> NDArray[np.float32]:
        """The question's vector, with that of what was asked before."""
        if not query.earlier:
            return vector
        mixed = vector + query.weight * self._embedder.embed_query(query.earlier)
        return np.asarray(mixed / max(float(np.linalg.norm(mixed)), 1e-9), dtype=np.float32)

    def rank(
        self, generation: Generation, evidence: Evidence, k: int, fusion: Fusion | None = None
    ) -> Retrieval:
        """Fuse what the legs say and keep the `k` best."""
        fusion = fusion or self.fusion
        lexical, dense = evidence.lexical, evidence.dense
        rows = _candidates(lexical, dense)
        scores = _metadata_weighed(generation, evidence, rows, fusion)
        scores = _raised(generation, evidence, rows, scores, k)
        best = np.argsort(-scores, kind="stable")[: max(k, NEAR)]
        passages = generation.content.passages(rows[best].tolist())
        lexical_rank, dense_rank = _ranks(rows, lexical), _dense_ranks(dense)
        hits = [
            Hit(
                passage=passage,
                article=generation.content.article(passage.article_id),
                score=float(scores[at]),
                lexical=float(lexical.ngrams[row] + lexical.ideas[row]),
                dense=dense.get(row),
                lexical_rank=lexical_rank.get(row),
                dense_rank=dense_rank.get(row),
            )
            for at, row, passage in zip(best, rows[best].tolist(), passages, strict=True)
        ]
        query = evidence.query
        hits = _links_last(_section_first(hits, query.text), query.text)
        wanted = overview_asked(fold(query.text), alone=not query.earlier)
        # An overview of all articles does not go by the order of passages.
        if fusion.closely and (wanted is None or wanted.of_one):
            judge = self._judge if fusion.judged else None
            hits = self._ranker.ranked(query, hits, generation.lexical, judge)
        if wanted and (found := beginnings(generation, wanted, hits)):
            hits = found
        else:
            wanted = None
        return Retrieval(
            searched=query.text,
            hits=tuple(hits[:k]),
            degraded=evidence.degraded,
            told=query.told,
            more=query.more,
            unknown=unknown_names(query.text, generation.lexical),
            among=len(generation.lexical),
            aside=evidence.aside,
            overview=wanted,
        )


def in_both_regions(index: LexicalIndex, question: str) -> LexicalScores:
    """What words say of a question, be it asked in Taiwan's words or in the Mainland's."""
    total, *others = [index.scores(wording) for wording in wordings(question)]
    for scores in others:
        total = total.plus(scores, 1.0)
    return total.times(1 / (1 + len(others)))


def _metadata_weighed(
    generation: Generation, evidence: Evidence, rows: NDArray[np.int64], fusion: Fusion
) -> NDArray[np.float64]:
    """The fused scores; metadata comes last unless it was asked for."""
    scores, folded = fuse(fusion, evidence, rows), fold(evidence.query.text)
    metadata = np.isin(rows, list(generation.content.metadata_rows))
    if not metadata_asked(folded) or asks_link_of_cited(folded):
        return scores - fusion.metadata * metadata
    if not asks_only_metadata(folded):
        return scores + fusion.metadata * metadata
    wanted = metadata
    if evidence.query.earlier and not metadata.all():  # of the article that was spoken of
        best = int(np.argmax(np.where(metadata, -np.inf, scores)))
        about = generation.content.passage(int(rows[best])).article_id
        blocks = generation.content.passages(rows[metadata].tolist())
        wanted = metadata.copy()
        wanted[metadata] = [block.article_id == about for block in blocks]
    scores += fusion.metadata * metadata + _NOTHING_ELSE_ASKED * wanted
    return scores


def _raised(
    generation: Generation,
    evidence: Evidence,
    rows: NDArray[np.int64],
    scores: NDArray[np.float64],
    k: int,
) -> NDArray[np.float64]:
    """The scores; who asks what something is, or for an address, gets passages that say it first.

    The index knows no more of an address than its host.
    """
    asked = fold(evidence.query.text)
    definition, cited = definition_of(asked), asks_link_of_cited(asked)
    address = asks_address(asked)
    if definition is None and not address:
        return scores
    near = np.argsort(-scores, kind="stable")[: max(k, _LOOKED_INTO)]
    passages = generation.content.passages(rows[near].tolist())
    raised = scores.copy()
    for at, passage in zip(near, passages, strict=True):
        text = fold(passage.text)
        if definition is not None:
            raised[at] += _DEFINITION * bool(definition.search(text))
        if address:
            raised[at] += _IN_ADDRESS * share_in_addresses(asked, text)
        if cited and passage.kind == "body":
            raised[at] += _AN_ADDRESS * has_address(passage.text)
    return raised


def _section_first(hits: Sequence[Hit], question: str) -> list[Hit]:
    """The hits, best first; those of the section that a question names, and no more, are raised."""
    asked = fold(question)
    raised = [
        replace(hit, score=hit.score + _OF_SECTION)
        if asks_for_section(asked, hit.article, hit.passage)
        else hit
        for hit in hits
    ]
    return sorted(raised, key=lambda hit: -hit.score)


def _links_last(hits: list[Hit], question: str) -> list[Hit]:
    """The hits; passages of nothing but links come last, unless a link is asked for.

    The words in an address are often those of its subject, which it says nothing about.
    """
    if asks_address(fold(question)):
        return hits
    links = [h for h in hits if h.passage.kind != "metadata" and only_links(h.passage.text)]
    if not links:
        return hits
    others = [hit for hit in hits if hit not in links]
    # Further behind than the ranker looks.
    behind = min((hit.score - LEAD for hit in others), default=math.inf)
    return [*others, *(replace(hit, score=min(hit.score, behind)) for hit in links)]


def fuse(fusion: Fusion, evidence: Evidence, rows: NDArray[np.int64]) -> NDArray[np.float64]:
    """The fused score of each row, shape (rows,); a row the dense leg missed gets its worst."""
    lexical, dense = evidence.lexical, evidence.dense
    worst = min(dense.values(), default=0.0)
    cosines = np.array([dense.get(row, worst) for row in rows.tolist()], dtype=np.float64)
    covered = fusion.ngrams * lexical.ngrams[rows] + fusion.ideas * lexical.ideas[rows]
    best_coverage = float(lexical.ngrams.max(initial=0.0)) / lexical.ceiling
    heard = fusion.dense * math.exp(-best_coverage / fusion.trust)
    fused: NDArray[np.float64] = covered / lexical.ceiling + heard * cosines
    return fused


def _candidates(lexical: LexicalScores, dense: Mapping[int, float]) -> NDArray[np.int64]:
    """The rows worth ranking: the best of each leg, ascending."""
    total = lexical.ngrams + lexical.ideas
    best = np.argsort(-total, kind="stable")[:_POOL]
    return np.union1d(best[total[best] > 0], np.fromiter(dense, dtype=np.int64)).astype(np.int64)


def _ranks(rows: NDArray[np.int64], lexical: LexicalScores) -> dict[int, int]:
    total = (lexical.ngrams + lexical.ideas)[rows]
    order = np.argsort(-total, kind="stable")
    # Beyond the pool only the rows that the other leg brought are known, and no ranks.
    best = enumerate(order[:_POOL].tolist(), 1)
    return {int(rows[at]): rank for rank, at in best if total[at] > 0}


def _dense_ranks(dense: Mapping[int, float]) -> dict[int, int]:
    ordered = sorted(dense, key=lambda row: -dense[row])
    return {row: rank for rank, row in enumerate(ordered, 1)}
