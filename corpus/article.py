"""What travels out of this package: articles, their headings, their passages."""

from dataclasses import dataclass
from typing import Literal

Form = Literal["hugo", "wechat", "markdown", "html", "text"]
PassageKind = Literal["body", "metadata"]


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading line inside `Article.text`; `[start, end)` are code-point offsets of its words."""

    level: int
    title: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Article:
    """One article, cleaned.

    `text` is the cleaned text that every offset in this project points into: first the lines
    of metadata that a reader may ask about (`text[:body_start]`, possibly empty), then the body,
    paragraphs and headings set apart by one blank line. `id` is the path without `.md`, and is
    stable as long as the file is not moved.
    """

    id: str
    path: str
    title: str
    text: str
    body_start: int = 0
    headings: tuple[Heading, ...] = ()
    url: str | None = None
    author: str | None = None
    date: str | None = None
    tags: tuple[str, ...] = ()
    form: Form = "markdown"


@dataclass(frozen=True, slots=True)
class Passage:
    """A stretch of one article: `text == article.text[start:end]`, in code points.

    `headings` is the path from the outermost heading to the one the passage stands under.
    """

    id: str
    article_id: str
    ordinal: int
    start: int
    end: int
    text: str
    headings: tuple[str, ...] = ()
    kind: PassageKind = "body"


@dataclass(frozen=True, slots=True)
class FailedFile:
    """A file that could not become an article, and why, in one sentence."""

    path: str
    reason: str
