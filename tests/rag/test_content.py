"""The content file gives back what was written, by row, by id and from many threads."""

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article, Passage
from rag.content import Content, digest_of, write_content
from tests.rag.tiny_index import article, passages_of

CATS = article("cats", "貓會抓老鼠。", "貓喜歡睡覺。", "貓怕水。")
DOGS = article("狗/dogs", "狗會看門。", "狗喜歡跑步。")
FULL = Article(
    id="full",
    path="full.md",
    title="完整",
    text="作者：甲\n\n正文\U00020000。",
    body_start=6,
    url="https://example.org/?a=1",
    author="甲",
    date="2025-01-02",
    tags=("人工智能", "安全"),
    form="hugo",
)
PASSAGES = [*passages_of(CATS), *passages_of(DOGS)]


@pytest.fixture
def content(tmp_path: Path) -> Iterator[Content]:
    write_content(tmp_path / "content.sqlite", [CATS, DOGS, FULL], PASSAGES)
    opened = Content.open(tmp_path / "content.sqlite")
    yield opened
    opened.close()


def test_rows_count_the_passages_in_article_order(content: Content) -> None:
    assert len(content) == 5
    assert [content.passage(row) for row in range(5)] == PASSAGES
    assert content.passages([3, 0, 3]) == [PASSAGES[3], PASSAGES[0], PASSAGES[3]]
    assert list(content.all_passages()) == PASSAGES


def test_a_row_that_is_not_there_is_an_index_error(content: Content) -> None:
    with pytest.raises(IndexError, match="row 5 of 5"):
        content.passage(5)
    with pytest.raises(IndexError):
        content.passage(-1)


def test_ids_lead_to_rows(content: Content) -> None:
    assert content.row_of("狗/dogs#1") == 4
    assert content.rows_of(["cats#2", "nobody#0"]) == {"cats#2": 2}
    with pytest.raises(KeyError):
        content.row_of("nobody#0")


@pytest.mark.parametrize("written", [CATS, DOGS, FULL], ids=lambda a: a.id)
def test_an_article_comes_back_whole(content: Content, written: Article) -> None:
    assert content.article(written.id) == written
    assert content.text(written.id) == written.text
    with pytest.raises(KeyError):
        content.article("nobody")


def test_the_listing_has_digests_and_rows_but_no_text(content: Content) -> None:
    listed = content.articles()

    assert [(a.id, list(a.rows)) for a in listed] == [
        ("cats", [0, 1, 2]),
        ("狗/dogs", [3, 4]),
        ("full", []),
    ]
    assert listed[2].digest == digest_of(FULL)
    assert listed[2].author == "甲"


@pytest.mark.parametrize(
    ("row", "around"),
    [(0, (None, 1)), (1, (0, 2)), (2, (1, None)), (3, (None, 4)), (4, (3, None))],
)
def test_neighbours_stay_inside_the_article(
    content: Content, row: int, around: tuple[int | None, int | None]
) -> None:
    assert content.neighbours(row) == around


def test_passages_are_slices_of_their_articles(content: Content) -> None:
    for passage in content.all_passages():
        assert content.text(passage.article_id)[passage.start : passage.end] == passage.text


def test_many_threads_may_read_at_once(content: Content) -> None:
    def read(row: int) -> Passage:
        content.article(PASSAGES[row].article_id)
        return content.passage(row)

    with ThreadPoolExecutor(8) as pool:
        read_back = list(pool.map(read, [0, 1, 2, 3, 4] * 100))

    assert read_back == PASSAGES * 100


def test_more_rows_than_one_statement_takes(tmp_path: Path) -> None:
    long = article("long", *(f"第{n}段。" for n in range(1200)))
    write_content(tmp_path / "c.sqlite", [long], passages_of(long))
    content = Content.open(tmp_path / "c.sqlite")

    assert content.passages(range(1200)) == passages_of(long)
    content.close()


def test_scattered_passages_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="side by side"):
        write_content(tmp_path / "c.sqlite", [CATS, DOGS], [PASSAGES[0], PASSAGES[3], PASSAGES[1]])


def test_a_damaged_file_is_a_database_error(tmp_path: Path) -> None:
    (tmp_path / "c.sqlite").write_bytes(b"nonsense" * 1000)
    with pytest.raises(sqlite3.DatabaseError):
        Content.open(tmp_path / "c.sqlite")


def test_reading_changes_no_byte_and_makes_no_file(tmp_path: Path) -> None:
    path = tmp_path / "c.sqlite"
    write_content(path, [CATS], passages_of(CATS))
    before = path.read_bytes()

    content = Content.open(path)
    content.articles()
    content.close()

    assert path.read_bytes() == before
    assert [p.name for p in tmp_path.iterdir()] == ["c.sqlite"]


@pytest.mark.parametrize("field", ["text", "title", "date", "url", "path"])
def test_a_digest_notices_every_field(field: str) -> None:
    fields: dict[str, Any] = {field: "另一個"}

    assert digest_of(replace(FULL, **fields)) != digest_of(FULL)
