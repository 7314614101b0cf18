"""Claims of a model held against the passages: where each quote stands, and what it carries."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache

from corpus.split import sentences
from rag.carrying import Source, Verdict, carries
from rag.index_text import heading_of
from rag.locate import locate, matching_form
from rag.orders import obeys
from rag.reply import Claim, Quote
from rag.result import Hit
from rag.terms import Terms

Judgement = Verdict | str
_CLOSING, _OPENING = "）」』”’》〉)]】。！？!?%％‰", "「『“‘《〈（([【"
_DROPPED = frozenset({"number", "name", "negation", "words", "order", "no quote"})


@dataclass(frozen=True, slots=True)
class Span:
    """A stretch of a hit's passage, offsets into the passage's text."""

    hit: Hit
    start: int
    end: int

    @property
    def text(self) -> str:
        return self.hit.passage.text[self.start : self.end]


@dataclass(frozen=True, slots=True)
class Grounded:
    """A claim and what became of it: the spans it stands on, shown as its quotes."""

    claim: Claim
    spans: tuple[Span, ...]
    verdict: Judgement
    found: int  # quotes that stand in the passages
    claimed: int

    @property
    def kept(self) -> bool:
        return self.verdict not in _DROPPED


class Grounding:
    """Holds the claims about one question against the passages that were given."""

    def __init__(self, question: str, hits: Sequence[Hit], terms: Terms) -> None:
        self._asked, self._hits, self._terms = matching_form(question), hits, terms

    def judge(self, claim: Claim) -> Grounded:
        """Where the claim's quotes stand, and whether they carry it."""
        quotes = claim.quotes or (Quote((), claim.text),)  # a sentence copied whole is its quote
        places = [list(self._places(quote)) for quote in quotes]
        found = sum(bool(spans) for spans in places)
        claimed = max(len(claim.quotes), found)
        if found < len(quotes) or not found:
            return Grounded(claim, (), "no quote", found, claimed)
        spans = tuple(self._nearest(claim, options) for options in places)
        if self._obeys_an_order(claim, spans):
            return Grounded(claim, (), "order", found, claimed)
        tried = [
            (shown, carries(self._source(shown), matching_form(claim.text)))
            for shown in _widenings(spans)
        ]
        for wanted in ("carried", "doubtful"):
            for shown, verdict in tried:
                if verdict == wanted:
                    return Grounded(claim, shown, verdict, found, claimed)
        return Grounded(claim, (), tried[-1][1], found, claimed)

    def _obeys_an_order(self, claim: Claim, spans: Sequence[Span]) -> bool:
        sentences_of = [_sentence(span).text for span in spans] + [_heading(span) for span in spans]
        return obeys(matching_form(claim.text), map(matching_form, sentences_of))

    def _places(self, quote: Quote) -> Iterator[Span]:
        """In the passages that were named first; a wrong number is put right, not believed."""
        named = [self._hits[n - 1] for n in quote.numbers if 0 < n <= len(self._hits)]
        for hit in [*named, *(hit for hit in self._hits if hit not in named)]:
            for start, end in locate(quote.text, hit.passage.text):
                yield _with_marks(Span(hit, start, end))

    def _nearest(self, claim: Claim, options: Sequence[Span]) -> Span:
        """Of several places, the first whose sentence carries the claim."""
        for span in options if len(options) > 1 else ():
            if carries(self._source((_sentence(span),)), matching_form(claim.text)) == "carried":
                return span
        return options[0]

    def _source(self, spans: Sequence[Span]) -> Source:
        return Source(
            words=_folded(span.text for span in spans),
            around=_folded(_sentence(span).text for span in spans),
            near=_folded(span.hit.passage.text[: span.end] for span in spans)
            + _folded(_heading(span) for span in spans),
            heading=_folded(_heading(span) for span in spans),
            asked=self._asked,
            terms=self._terms,
        )


def _folded(texts: Iterable[str]) -> str:
    return matching_form("\n".join(dict.fromkeys(texts)))


def _heading(span: Span) -> str:
    article = span.hit.article
    return f"{article.title}\n{heading_of(article, span.hit.passage)}"


def _with_marks(span: Span) -> Span:
    """The span with the marks that close or open right beside it."""
    text, start, end = span.hit.passage.text, span.start, span.end
    while end < len(text) and text[end] in _CLOSING:
        end += 1
    while start and text[start - 1] in _OPENING:
        start -= 1
    return Span(span.hit, start, end)


def _widenings(spans: Sequence[Span]) -> Iterator[tuple[Span, ...]]:
    """The spans, then their sentences, then those with the sentence before: what shall be shown."""
    yield tuple(spans)
    yield tuple(_sentence(span) for span in spans)
    yield tuple(_sentence(span, before=1) for span in spans)


@lru_cache(maxsize=64)
def _bounds(text: str) -> list[tuple[int, int]]:
    return sentences(text)


def _sentence(span: Span, before: int = 0) -> Span:
    """The sentences of the passage that a span touches."""
    text = span.hit.passage.text
    bounds = _bounds(text)
    touched = [i for i, (start, end) in enumerate(bounds) if start < span.end and span.start < end]
    if not touched:
        return span
    first = bounds[max(0, touched[0] - before)][0]
    return Span(span.hit, min(first, span.start), max(bounds[touched[-1]][1], span.end))
