"""Reading the articles' folder: what comes from the same bytes as before is not read again."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.article import Article, FailedFile, Passage
from rag.content import Content, Source, digest_of


@dataclass(frozen=True, slots=True)
class Read:
    """The articles in order, their sources by id, and the files that failed."""

    articles: Sequence[Article]
    sources: Mapping[str, Source]
    failed: Sequence[FailedFile]


def read_sources(root: Path, before: Content | None, progress: Callable[[int, int], None]) -> Read:
    """Read a folder; `before` was read by the same code. Raises corpus.read.UnreadableFile."""
    from corpus.read import read_folder

    known = _Known(before)
    articles, failed = read_folder(root, progress, known)
    return Read(articles, {article.id: known.source(article) for article in articles}, failed)


def unchanged_passages(
    before: Content | None, sources: Mapping[str, Source]
) -> dict[str, list[Passage]]:
    """The passages of the articles that are as they were, by article."""
    found: dict[str, list[Passage]] = defaultdict(list)
    if before is None:
        return found
    old = {article.id: article.digest for article in before.articles()}
    same = {i for i, source in sources.items() if old.get(i) == source.digest}
    for passage in before.all_passages():
        if passage.article_id in same:
            found[passage.article_id].append(passage)
    return found


class _Known:
    """What was read from which bytes, before and now."""

    def __init__(self, before: Content | None) -> None:
        self._before = before
        self._known = before.sources() if before is not None else {}
        self._bytes: dict[str, str] = {}

    def __call__(self, path: str, content: bytes) -> Article | None:
        self._bytes[path] = hashlib.sha256(content).hexdigest()
        known = self._same(path)
        return self._before.article(known.article_id) if self._before and known else None

    def source(self, article: Article) -> Source:
        known = self._same(article.path)
        digest = known.digest if known else digest_of(article)
        return Source(article.id, self._bytes[article.path], digest)

    def _same(self, path: str) -> Source | None:
        known = self._known.get(path)
        return known if known is not None and known.source == self._bytes[path] else None
