"""The articles and passages of one generation, in one SQLite file that is written once.

Rows count the passages from 0 in article order; a row is also the passage's position in the
lexical index. Opening reads nothing but the header, so 100,000 passages open in milliseconds.
"""

import hashlib
import json
import sqlite3
import threading
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from functools import cached_property
from itertools import groupby
from pathlib import Path
from typing import Any, cast

from corpus.article import Article, Form, Heading, Passage, PassageKind

_SCHEMA = """
CREATE TABLE articles (
    position INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, path TEXT NOT NULL,
    title TEXT NOT NULL, text TEXT NOT NULL, body_start INTEGER NOT NULL, headings TEXT NOT NULL,
    url TEXT, author TEXT, date TEXT, tags TEXT NOT NULL, form TEXT NOT NULL,
    digest TEXT NOT NULL, first_row INTEGER NOT NULL, passages INTEGER NOT NULL,
    source TEXT);
CREATE TABLE passages (
    row INTEGER PRIMARY KEY, id TEXT NOT NULL UNIQUE, article_id TEXT NOT NULL,
    ordinal INTEGER NOT NULL, start INTEGER NOT NULL, "end" INTEGER NOT NULL,
    text TEXT NOT NULL, headings TEXT NOT NULL, kind TEXT NOT NULL);
"""
FINGERPRINT = "content-2"
_PASSAGE = 'id, article_id, ordinal, start, "end", text, headings, kind'
_ARTICLE = "id, path, title, text, body_start, headings, url, author, date, tags, form"
_VARIABLES = 500  # SQLite takes 999 variables a statement in its oldest builds
_CACHED_ARTICLES = 64


@dataclass(frozen=True, slots=True)
class ListedArticle:
    """An article without its text; its passages are the rows from `first_row` on."""

    id: str
    path: str
    title: str
    url: str | None
    author: str | None
    date: str | None
    form: Form
    digest: str
    first_row: int
    passages: int

    @property
    def rows(self) -> range:
        return range(self.first_row, self.first_row + self.passages)


@dataclass(frozen=True, slots=True)
class Source:
    """Where an article comes from: SHA-256 of its file's bytes, and what `digest_of` says."""

    article_id: str
    source: str
    digest: str


def digest_of(article: Article) -> str:
    """SHA-256 over every field: two articles with one digest are the same to a reader."""
    fields = json.dumps(asdict(article), ensure_ascii=False, sort_keys=True)
    return hashlib.sha256(fields.encode("utf-8", "surrogatepass")).hexdigest()


def write_content(
    path: Path,
    articles: Sequence[Article],
    passages: Sequence[Passage],
    sources: Mapping[str, Source] | None = None,
) -> None:
    """Write the file. `passages` stand in article order, those of one article side by side.

    `sources` by article id; an article without one is read again by the next reindex.
    """
    rows = rows_by_article(passages)
    sources = sources or {}
    with closing(sqlite3.connect(path)) as database, database:
        # Nothing reads the file before its generation is whole, so no journal is needed.
        database.execute("PRAGMA journal_mode = OFF")
        database.executescript(_SCHEMA)
        database.executemany(
            f"INSERT INTO articles VALUES ({', '.join('?' * 16)})",
            (_article_row(at, a, rows, sources.get(a.id)) for at, a in enumerate(articles)),
        )
        database.executemany(
            f"INSERT INTO passages VALUES ({', '.join('?' * 9)})",
            (_passage_row(row, passage) for row, passage in enumerate(passages)),
        )


class Content:
    """A content file, read-only. Every method may be called from any thread."""

    def __init__(self, database: sqlite3.Connection) -> None:
        self._database, self._lock = database, threading.Lock()
        self._articles: OrderedDict[str, Article] = OrderedDict()
        self._size = int(self._all("SELECT count(*) FROM passages")[0][0])

    @classmethod
    def open(cls, path: Path) -> "Content":
        """Open without a lock and without a change to the file; sqlite3.Error when damaged."""
        uri = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        database = sqlite3.connect(uri, uri=True, check_same_thread=False)
        try:
            return cls(database)
        except BaseException:
            database.close()
            raise

    def __len__(self) -> int:
        return self._size

    def passage(self, row: int) -> Passage:
        """The passage of a row; IndexError outside 0..len-1."""
        return self.passages([row])[0]

    def passages(self, rows: Sequence[int]) -> list[Passage]:
        """The passages of some rows, in the order asked for."""
        wanted = [int(row) for row in rows]
        found = {
            record[0]: _passage(record[1:])
            for record in self._chunked(f"SELECT row, {_PASSAGE} FROM passages WHERE row", wanted)
        }
        try:
            return [found[row] for row in wanted]
        except KeyError as error:
            raise IndexError(f"row {error} of {self._size}") from None

    @cached_property
    def metadata_rows(self) -> frozenset[int]:
        """The rows that hold an article's metadata instead of its body."""
        return frozenset(
            r for (r,) in self._all("SELECT row FROM passages WHERE kind = 'metadata'")
        )

    def row_of(self, passage_id: str) -> int:
        """The row of a passage; KeyError when this generation does not have it."""
        return self.rows_of([passage_id])[passage_id]

    def rows_of(self, passage_ids: Sequence[str]) -> dict[str, int]:
        """The rows of some passages, by id; ids that are not there are left out."""
        return dict(self._chunked("SELECT id, row FROM passages WHERE id", list(passage_ids)))

    def article(self, article_id: str) -> Article:
        """An article with its text; KeyError when this generation does not have it."""
        with self._lock:
            if article_id in self._articles:
                self._articles.move_to_end(article_id)
                return self._articles[article_id]
        records = self._all(f"SELECT {_ARTICLE} FROM articles WHERE id = ?", [article_id])
        if not records:
            raise KeyError(article_id)
        return self._remember(_article(records[0]))

    def text(self, article_id: str) -> str:
        """The cleaned text that the offsets of an article's passages point into."""
        return self.article(article_id).text

    def articles(self) -> list[ListedArticle]:
        """Every article without its text, in order."""
        return [ListedArticle(*record) for record in self._all(_LISTING)]

    def sources(self) -> dict[str, Source]:
        """By path, what each article was read from, where that is known."""
        found = self._all("SELECT path, id, source, digest FROM articles WHERE source IS NOT NULL")
        return {path: Source(*record) for path, *record in found}

    def all_passages(self) -> Iterator[Passage]:
        """Every passage in row order, a few hundred in memory at a time."""
        for start in range(0, self._size, _VARIABLES):
            yield from self.passages(range(start, min(start + _VARIABLES, self._size)))

    def neighbours(self, row: int) -> tuple[int | None, int | None]:
        """The rows before and after in the same article, None at its ends."""
        around = [at for at in (row - 1, row, row + 1) if 0 <= at < self._size]
        articles = dict(zip(around, (p.article_id for p in self.passages(around)), strict=True))
        here = articles[row]
        before = row - 1 if articles.get(row - 1) == here else None
        return before, row + 1 if articles.get(row + 1) == here else None

    def check(self) -> None:
        """Read every page; sqlite3.DatabaseError names what is damaged."""
        verdict = self._all("PRAGMA quick_check(1)")[0][0]
        if verdict != "ok":
            raise sqlite3.DatabaseError(verdict)

    def close(self) -> None:
        with self._lock:
            self._database.close()

    def _remember(self, article: Article) -> Article:
        with self._lock:
            self._articles[article.id] = article
            if len(self._articles) > _CACHED_ARTICLES:
                self._articles.popitem(last=False)
        return article

    def _chunked(self, select: str, values: Sequence[int | str]) -> Iterator[Any]:
        for start in range(0, len(values), _VARIABLES):
            chunk = values[start : start + _VARIABLES]
            yield from self._all(f"{select} IN ({', '.join('?' * len(chunk))})", chunk)

    def _all(self, query: str, values: Sequence[int | str] = ()) -> list[Any]:
        with self._lock:
            return self._database.execute(query, values).fetchall()


_LISTING = """SELECT id, path, title, url, author, date, form, digest, first_row, passages
FROM articles ORDER BY position"""


def rows_by_article(passages: Sequence[Passage]) -> dict[str, range]:
    """The rows of each article; ValueError when they do not stand side by side."""
    rows: dict[str, range] = {}
    at = 0
    for article_id, group in groupby(passages, key=lambda passage: passage.article_id):
        if article_id in rows:
            raise ValueError(f"the passages of {article_id} do not stand side by side")
        rows[article_id] = range(at, at := at + sum(1 for _ in group))
    return rows


def _article_row(
    position: int, article: Article, rows: Mapping[str, range], source: Source | None
) -> tuple[Any, ...]:
    headings = [[h.level, h.title, h.start, h.end] for h in article.headings]
    own = rows.get(article.id, range(0))
    return (
        *(position, article.id, article.path, article.title, article.text, article.body_start),
        *(_json(headings), article.url, article.author, article.date, _json(article.tags)),
        *(article.form, source.digest if source else digest_of(article), own.start, len(own)),
        source.source if source else None,
    )


def _article(record: Sequence[Any]) -> Article:
    ident, path, title, text, body_start, headings, url, author, date, tags, form = record
    return Article(
        *(ident, path, title, text, body_start),
        tuple(Heading(*heading) for heading in json.loads(headings)),
        *(url, author, date, tuple(json.loads(tags)), cast(Form, form)),
    )


def _passage_row(row: int, passage: Passage) -> tuple[Any, ...]:
    return (
        *(row, passage.id, passage.article_id, passage.ordinal, passage.start, passage.end),
        *(passage.text, _json(passage.headings), passage.kind),
    )


def _passage(record: Sequence[Any]) -> Passage:
    ident, article_id, ordinal, start, end, text, headings, kind = record
    return Passage(
        *(ident, article_id, ordinal, start, end, text),
        *(tuple(json.loads(headings)), cast(PassageKind, kind)),
    )


def _json(value: Iterable[Any]) -> str:
    return json.dumps(value, ensure_ascii=False)
