"""What is written without LlamaIndex and without Chroma's client is what they would write."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from corpus.article import Article, Passage
from rag.collection import DATABASE, NAME, client
from rag.entries import metadata_of
from rag.filling import made_in, writable

ARTICLE = Article("wiki/貓", "wiki/貓.md", '貓 "Cat"', "前言\n\n貓會抓\\老鼠。\n還會爬樹😺\t。")
PASSAGES = (
    Passage("wiki/貓#0", ARTICLE.id, 0, 4, 20, ARTICLE.text[4:20], ("習性", "捕食")),
    Passage("wiki/貓#1", ARTICLE.id, 1, 0, 2, "前言", ('貓 "Cat"',), "metadata"),
)


@pytest.mark.parametrize("passage", PASSAGES, ids=lambda passage: passage.id)
def test_an_entry_is_what_llamaindex_would_store_and_reads_whole(passage: Passage) -> None:
    from llama_index.core.schema import NodeRelationship, RelatedNodeInfo, TextNode
    from llama_index.core.vector_stores.utils import metadata_dict_to_node, node_to_metadata_dict

    told = metadata_of(ARTICLE, passage)
    own = {name: told[name] for name in ("ordinal", "article_id", "title", "heading")}
    node = TextNode(
        id_=passage.id,
        text=passage.text,
        start_char_idx=passage.start,
        end_char_idx=passage.end,
        metadata=own,
        relationships={NodeRelationship.SOURCE: RelatedNodeInfo(node_id=ARTICLE.id)},
    )

    theirs = node_to_metadata_dict(node, flat_metadata=True)

    assert told == theirs
    assert metadata_dict_to_node(told, text=None) == node


def test_a_collection_made_without_the_client_is_set_as_one_made_with_it(tmp_path: Path) -> None:
    ours, theirs = tmp_path / "ours", tmp_path / "theirs"

    with writable(ours):
        pass
    with closing(client(theirs)) as opened:
        made_in(opened, NAME)

    assert _settings(ours) == _settings(theirs)


@pytest.mark.filterwarnings("ignore:legacy embedding function config")
@pytest.mark.parametrize(("passages", "candidates"), [(1_000, 400), (100_000, 1_000)])
def test_a_question_looks_at_more_candidates_where_there_are_more(
    tmp_path: Path, passages: int, candidates: int
) -> None:
    engine, client_made = tmp_path / "engine", tmp_path / "client"

    with writable(engine):
        pass
    with writable(engine, passages):  # as a copy that holds more than what it was copied from
        pass
    with closing(client(client_made)) as opened:
        made_in(opened, NAME)
        made_in(opened, NAME, passages)

    for directory in (engine, client_made):
        assert f'"ef_search": {candidates}' in json.dumps(_settings(directory))


def _settings(directory: Path) -> list[Any]:
    """In JSON, whose order is another one each time."""
    with closing(sqlite3.connect(directory / DATABASE)) as database:
        query = "SELECT name, database_id, config_json_str, schema_str FROM collections"
        ((name, place, *told),) = database.execute(query).fetchall()
    return [name, place, *map(json.loads, told)]
