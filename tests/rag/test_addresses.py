"""What is read of an address in a text: where it leads to, not the words of its path."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Passage
from rag.addresses import as_read, only_links, share_in_addresses, without_paths
from rag.evaluate import throwaway
from rag.fold import fold
from rag.generation import Generation
from rag.index_text import dense_text, lexical_text
from rag.passage_reader import SHIPPED, Network
from rag.ranker import Ranker
from rag.retrieve import Retriever
from tests.rag.test_word_reader import hits_of
from tests.rag.tiny_index import HashEmbedder

NAMED_BY_ITS_LINK = "他們第二年搬到湖邊，詳見 https://example.org/paper-kite-festival.pdf 。"
SAID = "紙鳶節（Paper Kite Festival）在三月的第一個週日舉行。"
OTHER = "湖邊的鴨子睡著了。"
QUESTION = "what is the paper kite festival"


@pytest.mark.parametrize(
    ("text", "read"),
    [
        ("見 https://example.org/a-b?c=d#e 。", "見 https://example.org           。"),
        ("https://example.org，https://b.tw/x", "https://example.org，https://b.tw  "),
        ("HTTPS://EXAMPLE.ORG/X", "HTTPS://EXAMPLE.ORG  "),
        ("http://example.org?q=1", "http://example.org    "),
        ("https://example.org", "https://example.org"),
        ("https:///path", "https:///path"),
        ("a/b 與 //c/d，沒有網址", "a/b 與 //c/d，沒有網址"),
        ("", ""),
    ],
)
def test_of_an_address_the_host_stays(text: str, read: str) -> None:
    assert without_paths(text) == read


@given(st.text(alphabet="https:/?#.a 湖。[]()", max_size=60))
def test_offsets_stay_and_nothing_but_addresses_changes(text: str) -> None:
    read = without_paths(text)

    assert len(read) == len(text)
    assert all(now in (was, " ") for was, now in zip(text, read, strict=True))
    assert without_paths(read) == read
    if "http" not in text:
        assert read == text


@pytest.mark.parametrize(
    ("question", "whole"),
    [
        ("紙鳶節的網址", True),
        ("https://example.org/paper-kite-festival.pdf 在講什麼", True),
        (QUESTION, False),
        ("", False),
    ],
)
def test_who_asks_for_an_address_has_all_of_it_read(question: str, whole: bool) -> None:
    passage = fold(NAMED_BY_ITS_LINK)

    assert (as_read(passage, fold(question)) == passage) is whole


def test_how_much_of_a_question_an_address_holds() -> None:
    passage = fold(f"paper {NAMED_BY_ITS_LINK}")

    assert share_in_addresses("kite 的 pdf 网址", passage) == 1.0
    assert share_in_addresses("kite hotel 的网址", passage) == 0.5
    assert share_in_addresses("纸鸢的网址", passage) == 0.0
    assert share_in_addresses("kite", "kite") == 0.0


def test_only_links() -> None:
    assert only_links("參考：\n[1]https://example.org/a\nhttps://example.org/b")
    assert not only_links(NAMED_BY_ITS_LINK.replace("搬到", "因為河水年年淹上來，終於決定搬到"))
    assert not only_links("參考：")


def test_neither_leg_knows_the_path_of_an_address() -> None:
    article = Article("a", "a.md", "題", NAMED_BY_ITS_LINK)
    passage = Passage("a:0", "a", 0, 0, len(article.text), article.text)

    for text in (lexical_text(article, passage), dense_text(article, passage)):
        assert "https://example.org" in text
        assert "paper" not in text


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    texts = {"link": NAMED_BY_ITS_LINK, "said": SAID, "other": OTHER}
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    cache = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    with throwaway(rows, HashEmbedder(), cache) as generation:
        yield generation


def first(generation: Generation, question: str) -> str:
    return Retriever(HashEmbedder()).retrieve(generation, question).hits[0].article.id


def test_who_asks_what_something_is_gets_who_says_it_not_who_links_to_it(
    generation: Generation,
) -> None:
    assert first(generation, QUESTION) == "said"


def test_who_asks_for_the_address_gets_who_links_to_it(generation: Generation) -> None:
    assert first(generation, "paper kite festival 的網址") == "link"
    assert first(generation, "https://example.org/paper-kite-festival.pdf 是什麼") == "link"


def test_readers_and_ranking_are_not_taken_in_by_a_path() -> None:
    network, plain = Network(SHIPPED), "他們第二年搬到湖邊，詳見 https://example.org 。"

    linked, bare = (network.read(QUESTION, text) for text in (NAMED_BY_ITS_LINK, plain))
    assert linked.says == pytest.approx(bare.says)
    assert linked.says < network.read(QUESTION, SAID).says

    (hit,), index = hits_of(NAMED_BY_ITS_LINK)
    (bare_hit,), _ = hits_of(plain)
    met = Ranker().features(QUESTION, [hit, bare_hit], index)[:, 3:]
    assert met[0].tolist() == pytest.approx(met[1].tolist())
