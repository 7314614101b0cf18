"""Ranked passages become an answer: the sentences that say it, quoted, or a refusal."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache

import numpy as np

from rag.addresses import ends_in_address
from rag.comparison import compared, missing
from rag.cues import asks
from rag.fold import fold
from rag.generation import Generation
from rag.index_text import heading_of
from rag.metadata_questions import answers_metadata, asks_of_each, metadata_asked
from rag.overview import overview
from rag.pointers import introduces, points, tells
from rag.read import Reader, Sentence
from rag.result import Citation, Hit, Status, Variant
from rag.retrieve import Retrieval
from rag.support import Support
from rag.variant import to_variant
from rag.whole_sentences import self_contained, whole
from rag.wording import QUOTATION_MARKS, REFUSED, REFUSED_NEAREST

_MOST_SENTENCES = 3
# A sentence this much less likely than the best (log-odds) adds noise more often than an answer;
# one of another passage sooner than one of the same.
_MARGIN, _ELSEWHERE = 7.0, 3.0
# Questions for a definition hardly ever need more.
_MARGIN_ONE, _ELSEWHERE_ONE = 4.0, 1.0
_WANT_ONE = frozenset({"define"})
_TOPICS = 2
_LIST_INTRODUCED = 2.5  # log-odds; the reader thinks little of a sentence without its list
_LONGEST_LIST = 400  # characters that a list may add to an answer
_INTRODUCED = re.compile(r"\s*[^\n]+(?:\n[^\n]+)*")  # the lines up to the next blank one
_BETWEEN = 120  # characters: quoted along, a sentence keeps two others in their context
_METADATA = 4.0  # log-odds
_ADDRESS = 20.0  # log-odds: it answers nobody but those who ask for one, whatever words are in it
# Every article has a date and a link: it is that of the article whose text is nearest.
_OF_THE_SUBJECT = 3.0
_LINES_OF_EACH = 2
_ENDS = tuple("。！？!?…」』”）")


@dataclass(frozen=True, slots=True)
class Draft:
    """An answer before it is stamped with its generation and timings."""

    status: Status
    text: str
    citations: tuple[Citation, ...]
    support: float
    sentences: tuple[Sentence, ...] = ()


class Answerer:
    """Writes extractive answers: every word is the articles' own, shown in the asker's script."""

    def __init__(self, reader: Reader, support: Support, threshold: float) -> None:
        self.reader, self._support, self.threshold = reader, support, threshold

    def answer(self, generation: Generation, retrieval: Retrieval, variant: Variant) -> Draft:
        """Answer from the hits of a retrieval; refuses when they do not support an answer."""
        if retrieval.overview:
            told = overview(retrieval.overview, retrieval.hits)
            return Draft("answered", quoted(told, variant), told, 1.0)
        read, citations = self._quote(generation, retrieval)
        support = self._support.probability(retrieval, read)
        ranked = tuple(whole(read))
        if not ranked or support < self.threshold:
            return Draft("refused", refusal(retrieval.hits, variant), (), support, ranked)
        return Draft("answered", quoted(citations, variant), citations, support, ranked)

    def _quote(
        self, generation: Generation, retrieval: Retrieval
    ) -> tuple[Sequence[Sentence], tuple[Citation, ...]]:
        """What was read of the hits, the best first, and what is quoted of it.

        Who asks for more gets nothing of what the answers before were made of.
        """

        @cache
        def read(question: str) -> list[Sentence]:
            found = self.reader.read(question, retrieval.hits, generation.lexical)
            return settled(found, question)

        said: list[Citation] = []
        for more in ("", *retrieval.more):
            question = f"{retrieval.searched} {more}".rstrip()
            ranked = _without(said, read(question))
            # What stands between two sentences may have been said.
            between = 0 if said else _BETWEEN
            sentences = whole(ranked)
            chosen = _choose(sentences, question) if sentences else []
            citations = _cite(chosen, between)
            others = _not_compared(citations, sentences, retrieval.hits, question)
            if others:
                citations = _cite(_in_order([*chosen, *others]), between)
            said += citations
        return ranked, citations


def refusal(hits: Sequence[Hit], variant: Variant) -> str:
    """The sentence that says that the articles do not say, and what they do talk about."""
    headings = (heading_of(hit.article, hit.passage) or hit.article.title for hit in hits)
    topics = dict.fromkeys(filter(None, headings))
    if not topics:
        return REFUSED[variant]
    opening, closing = QUOTATION_MARKS[variant]
    shown = [to_variant(topic, variant) for topic in list(topics)[:_TOPICS]]
    named = "、".join(f"{opening}{topic}{closing}" for topic in shown)
    return REFUSED_NEAREST[variant].format(topics=named)


def settled(ranked: Sequence[Sentence], question: str) -> list[Sentence]:
    """Put first the metadata, the address or the list that was asked for, last what was not."""
    folded = fold(question)
    listing = _LIST_INTRODUCED * ("list" in asks(folded))
    texts = [s.hit for s in ranked if s.hit.passage.kind == "body"]
    about = max(texts, key=lambda hit: hit.score).article.id if texts else ""
    weighed = [
        replace(s, score=s.score + _metadata_bonus(s, folded, about) + listing * introduces(s))
        for s in ranked
    ]
    return sorted(weighed, key=lambda sentence: -sentence.score)


def _metadata_bonus(sentence: Sentence, question: str, about: str) -> float:
    """Log-odds for a line of metadata or an address: whether the folded question asks for it.

    Of several the one of the article that the text is `about` counts most.
    """
    address = points(sentence)
    if sentence.hit.passage.kind != "metadata" and not address:
        return 0.0
    if not tells(sentence, question):
        return -_ADDRESS if address else -_METADATA
    return _METADATA + _OF_THE_SUBJECT * (sentence.hit.article.id == about)


def _choose(ranked: Sequence[Sentence], question: str) -> list[Sentence]:
    """The best sentence and those nearly as good, in reading order within their passage."""
    best = ranked[0]
    if best.hit.passage.kind == "metadata":
        return _metadata_lines(ranked, question)
    margin, elsewhere = _margins(asks(fold(question)))
    near = [
        s
        for s in ranked
        if s.score >= best.score - (margin if s.hit is best.hit else elsewhere)
        and s.hit.passage.kind == best.hit.passage.kind
    ]
    return _in_order([_with_its_list(self_contained(s, ranked)) for s in near[:_MOST_SENTENCES]])


def _in_order(chosen: Sequence[Sentence]) -> list[Sentence]:
    """Sentences without those inside others; passage after passage, each in reading order."""
    chosen = [s for s in chosen if not any(_inside(s, other) for other in chosen)]
    passages = list(dict.fromkeys(s.hit.passage.id for s in chosen))
    return sorted(chosen, key=lambda s: (passages.index(s.hit.passage.id), s.start))


def _not_compared(
    citations: Sequence[Citation], ranked: Sequence[Sentence], hits: Sequence[Hit], question: str
) -> list[Sentence]:
    """What speaks of the one of two things compared that no citation names."""
    sides = compared(fold(question))
    if not sides or not citations or citations[0].hit.passage.kind != "body":
        return []
    quotes = (citation.quote for citation in citations)
    return [_with_its_list(sentence) for sentence in missing(quotes, ranked, hits, sides)]


def _with_its_list(sentence: Sentence) -> Sentence:
    """A sentence that introduces what follows, together with the lines that it introduces."""
    if not introduces(sentence):
        return sentence
    follows = _INTRODUCED.match(sentence.hit.passage.text, sentence.end)
    if follows is None or follows.end() - sentence.start > _LONGEST_LIST:
        return sentence
    return replace(sentence, end=follows.end())


def _without(said: Sequence[Citation], ranked: Sequence[Sentence]) -> list[Sentence]:
    """The sentences that share nothing with what was said."""
    spans = [(c.hit, c.start - c.hit.passage.start, c.end - c.hit.passage.start) for c in said]
    return [
        sentence
        for sentence in ranked
        if not any(
            hit is sentence.hit and start < sentence.end and sentence.start < end
            for hit, start, end in spans
        )
    ]


def _inside(sentence: Sentence, other: Sentence) -> bool:
    return (
        sentence is not other
        and sentence.hit is other.hit
        and other.start <= sentence.start
        and sentence.end <= other.end
        and (sentence.start, sentence.end) != (other.start, other.end)
    )


def _metadata_lines(ranked: Sequence[Sentence], question: str) -> list[Sentence]:
    """The lines that hold what was asked for, the best at least; of its article, or of each."""
    folded = fold(question)
    asked = metadata_asked(folded)
    blocks = dict.fromkeys(s.hit.passage.id for s in ranked if s.hit.passage.kind == "metadata")
    if not asks_of_each(folded):
        blocks = {ranked[0].hit.passage.id: None}
    most = _MOST_SENTENCES if len(blocks) == 1 else _LINES_OF_EACH
    answering = [line for block in blocks for line in _lines_of(block, ranked, asked)[:most]]
    return answering or [ranked[0]]


def _lines_of(block: str, ranked: Sequence[Sentence], asked: frozenset[str]) -> list[Sentence]:
    """The lines of one block of metadata that answer, in their order."""
    here = [s for s in ranked if s.hit.passage.id == block]
    found = [s for s in here if answers_metadata(asked, fold(s.text))]
    return sorted(found, key=lambda s: s.start)


def _margins(kinds: frozenset[str]) -> tuple[float, float]:
    """How far below the best a sentence of its passage may be, and one of another."""
    return (_MARGIN_ONE, _ELSEWHERE_ONE) if kinds & _WANT_ONE else (_MARGIN, _ELSEWHERE)


def _cite(chosen: Sequence[Sentence], between: int) -> tuple[Citation, ...]:
    """One citation a stretch: sentences with at most `between` characters between them are one."""
    stretches: list[list[Sentence]] = []
    for sentence in chosen:
        last = stretches[-1][-1] if stretches else None
        if (
            last
            and last.hit is sentence.hit
            and len(last.hit.passage.text[last.end : sentence.start].strip()) <= between
        ):
            stretches[-1].append(sentence)
        else:
            stretches.append([sentence])
    return tuple(_citation(n, stretch) for n, stretch in enumerate(stretches, 1))


def _citation(n: int, stretch: Sequence[Sentence]) -> Citation:
    score = float(np.max([sentence.score for sentence in stretch]))
    return Citation.of(n, stretch[0].hit, stretch[0].start, stretch[-1].end, score)


def quoted(citations: Sequence[Citation], variant: Variant) -> str:
    """The text of an extractive answer: its quotations in a script, each with its mark."""
    return "".join(_shown(c, variant) for c in citations).strip()


def _shown(citation: Citation, variant: Variant) -> str:
    # Names are left as they are; a title outside 《》 is not, for it may be an ordinary word.
    lines = to_variant(citation.quote, variant, (citation.hit.article.author or "",)).split("\n")
    joined = "\n".join(line.strip() for line in lines if line.strip())
    mark = f" [{citation.n}]" if ends_in_address(joined) else f"[{citation.n}]"
    # What does not end as a sentence (a list item, a line) is set apart from the next.
    metadata = citation.hit.passage.kind == "metadata"
    return joined + mark + "\n" * (metadata or not joined.endswith(_ENDS))
