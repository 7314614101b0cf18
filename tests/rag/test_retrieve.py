"""Which passages come first, beyond what the scores of both legs say."""

from collections.abc import Iterator

import pytest

from rag.answer import Answerer
from rag.evaluate import throwaway
from rag.generation import Generation
from rag.read import LinearReader
from rag.retrieve import Retriever
from rag.support import Support
from tests.rag.tiny_index import HashEmbedder

LINKS = "參考連結：\nhttps://example.org/tea-house-opening-hours\n[2]https://example.org/tea-house"
SAID = "The tea house opens at six in summer. Its hours are painted on the door."
ABOUT_A_LINK = (
    "The tea house keeps its menu at https://example.org/tea-house and changes it weekly."
)
OTHER = "湖邊的鴨子睡著了。"


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    texts = {"links": LINKS, "said": SAID, "about": ABOUT_A_LINK, "other": OTHER}
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    cache = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    with throwaway(rows, HashEmbedder(), cache) as generation:
        yield generation


def found(generation: Generation, question: str, k: int = 5) -> list[str]:
    hits = Retriever(HashEmbedder()).retrieve(generation, question, k=k).hits
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    return [hit.article.id for hit in hits]


def test_a_list_of_links_comes_last_whatever_its_addresses_say(generation: Generation) -> None:
    assert found(generation, "tea house opening hours")[-1] == "links"
    assert "links" not in found(generation, "tea house opening hours", k=2)


def test_a_text_with_a_link_in_it_stays_where_it_is(generation: Generation) -> None:
    assert found(generation, "tea house menu")[0] == "about"


def test_who_asks_for_a_link_finds_the_list(generation: Generation) -> None:
    assert found(generation, "tea house opening hours 的連結")[0] == "links"


@pytest.mark.parametrize(
    ("question", "address"), [("tea house opening hours", False), ("tea house 的網址", True)]
)
def test_an_address_is_quoted_to_those_who_ask_for_one(
    generation: Generation, question: str, address: bool
) -> None:
    retrieval = Retriever(HashEmbedder()).retrieve(generation, question)
    answerer = Answerer(LinearReader(), Support(), threshold=0.0)

    draft = answerer.answer(generation, retrieval, "hant")

    assert ("https://" in draft.citations[0].quote) is address
