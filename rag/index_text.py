"""What of a passage each leg reads: its article's title and its headings come along.

The paths of addresses do not: their words are those of a subject of which they say nothing.
"""

from corpus.article import Article, Passage
from rag.addresses import without_paths

FINGERPRINT = "title-headings-2"


def lexical_text(article: Article, passage: Passage) -> str:
    """The text that the lexical leg indexes."""
    return _headed(article, passage)


def dense_text(article: Article, passage: Passage) -> str:
    """The text that is embedded."""
    return _headed(article, passage)


def heading_of(article: Article, passage: Passage) -> str:
    """The heading path that a reader sees, without the article's title; may be empty."""
    return " › ".join(title for title in passage.headings if title != article.title)


def _headed(article: Article, passage: Passage) -> str:
    if passage.kind == "metadata":
        return passage.text
    return "\n".join(
        filter(None, (article.title, heading_of(article, passage), without_paths(passage.text)))
    )
