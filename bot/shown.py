"""What an answer showed, kept so that its buttons work after a restart, a reindex, a month."""

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from bot.deep_link import deep_link
from corpus.article import Article, Passage
from rag.index_text import heading_of
from rag.result import Answer, Citation, Hit, Status, Variant

_AROUND = 240  # characters of the article kept before and after a passage

_SENTENCE_ENDS = re.compile(r"[。！？!?；;\n][」』”’）]?\s*")


@dataclass(frozen=True, slots=True)
class Source:
    """A passage as it stood when it was shown, with the quotation from it if there is one.

    `start` and `end` are offsets of the quotation in the article's text, `passage_start` that of
    the passage; `verified` says that the quotation was found there, letter by letter.
    """

    n: int
    article_id: str
    title: str
    path: str
    author: str | None
    date: str | None
    heading: str
    passage: str
    passage_start: int
    before: str
    after: str
    link: str | None
    quote: str = ""
    start: int = 0
    end: int = 0
    verified: bool = False
    note: str = ""


@dataclass(frozen=True, slots=True)
class Shown:
    """An answer, a search or a check. `language` is that of the words around it.

    `quotes` are those of a model that stand in the articles, and those it gave.
    """

    kind: str
    question: str
    history: tuple[str, ...]
    variant: Variant
    language: str
    status: Status
    texts: Mapping[Variant, str]
    citations: tuple[Source, ...]
    nearest: tuple[Source, ...]
    generation: str
    engine: str = "extractive"
    degraded: str | None = None
    private: bool = False
    weak: bool = False
    quotes: tuple[int, int] | None = None
    extra: Mapping[str, str] = field(default_factory=dict)

    @property
    def text(self) -> str:
        return self.texts[self.variant]

    @property
    def conversation(self) -> tuple[str, ...]:
        """The questions so far, for a follow-up."""
        return (*self.history, self.question)

    @property
    def verified(self) -> int:
        return sum(citation.verified for citation in self.citations)

    def source(self, which: str) -> Source | None:
        """The source behind a button: "c" and "n" with a number from 1."""
        sources = self.citations if which[:1] == "c" else self.nearest
        number = int(which[1:]) if which[1:].isdigit() else 0
        return sources[number - 1] if 1 <= number <= len(sources) else None

    def to_json(self) -> str:
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, stored: str) -> "Shown":
        told: dict[str, Any] = json.loads(stored)
        for name in ("citations", "nearest"):
            told[name] = tuple(Source(**source) for source in told[name])
        told["history"] = tuple(told["history"])
        if told.get("quotes") is not None:
            told["quotes"] = tuple(told["quotes"])
        return cls(**told)


def shown_answer(
    answer: Answer, texts: Mapping[Variant, str], history: Sequence[str], language: str
) -> Shown:
    """The state of an answer; each quotation is held against its article here."""
    return Shown(
        kind="answer",
        question=answer.question,
        history=tuple(history),
        variant=answer.variant,
        language=language,
        status=answer.status,
        texts=texts,
        citations=tuple(cited(citation) for citation in answer.citations),
        nearest=tuple(found(hit, n) for n, hit in enumerate(answer.hits, 1)),
        generation=answer.generation,
        engine=answer.engine,
        degraded=answer.degraded,
        weak=answer.weak,
        quotes=answer.verified,
    )


def cited(citation: Citation) -> Source:
    hit = citation.hit
    return replace(
        found(hit, citation.n),
        quote=citation.quote,
        start=citation.start,
        end=citation.end,
        verified=hit.article.text[citation.start : citation.end] == citation.quote,
        link=deep_link(hit.article.url, citation.quote, hit.article.text),
    )


def found(hit: Hit, n: int) -> Source:
    article, passage = hit.article, hit.passage
    return Source(
        n=n,
        article_id=article.id,
        title=article.title,
        path=article.path,
        author=article.author,
        date=article.date,
        heading=heading_of(article, passage),
        passage=passage.text,
        passage_start=passage.start,
        before=_before(article, passage),
        after=_after(article, passage),
        link=deep_link(article.url, passage.text, article.text),
    )


def _before(article: Article, passage: Passage) -> str:
    start = max(0, passage.start - _AROUND)
    text = article.text[start : passage.start]
    if start == 0:
        return text.strip()
    whole = _SENTENCE_ENDS.search(text)
    return f"…{text[whole.end() :] if whole else text}".strip().removesuffix("…")


def _after(article: Article, passage: Passage) -> str:
    end = passage.end + _AROUND
    text = article.text[passage.end : end]
    if end >= len(article.text):
        return text.strip()
    ends = [found.end() for found in _SENTENCE_ENDS.finditer(text)]
    return f"{text[: ends[-1]] if ends else text}…".strip().removeprefix("…")
