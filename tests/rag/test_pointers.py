"""A link is given for what it was asked for: the article, or what the article points to."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from corpus.article import PassageKind
from rag.addresses import ends_in_address
from rag.answer import quoted
from rag.evaluate import throwaway
from rag.fold import fold
from rag.generation import Generation
from rag.metadata_questions import asks_link_of_cited, metadata_asked
from rag.pointers import introduces, points, tells
from rag.read import Sentence
from rag.result import Citation, Hit
from rag.retrieve import Retriever
from tests.rag.test_word_reader import hits_of
from tests.rag.tiny_index import HashEmbedder

OF_CITED = (
    "論文連結",
    "论文地址是什么？",
    "那篇論文在哪裡可以看",
    "哪裡可以下載論文",
    "代碼在哪兒下載",
    "paper 連結",
    "研究介紹頁的網址",
    "Where can I read the paper?",
    "link to the original study",
    "github repo link",
)
OF_THE_ARTICLE = ("這篇文章的連結", "原文網址", "講研究紙鳶那篇文章的網址", "url of the article")
OF_NEITHER = (
    "這項研究從哪裡看出鴨子在裝睡",
    "論文從哪裡看得出來",
    "這篇論文的第一作者是誰",
    "研究員住在哪裡",
    "鴨子的地址",
    "the link between wind and kites",
    "",
)


@pytest.mark.parametrize("question", OF_CITED)
def test_the_link_of_what_an_article_cites_is_asked_for(question: str) -> None:
    assert asks_link_of_cited(fold(question))
    assert "url" in metadata_asked(fold(question))


@pytest.mark.parametrize("question", [*OF_THE_ARTICLE, *OF_NEITHER])
def test_the_articles_own_link_is_another(question: str) -> None:
    assert not asks_link_of_cited(fold(question))


def hit_of(text: str, kind: PassageKind = "body") -> Hit:
    (hit,), _ = hits_of(text)
    return replace(hit, passage=replace(hit.passage, kind=kind))


def sentence(text: str, end: int | None = None, kind: PassageKind = "body") -> Sentence:
    return Sentence(hit_of(text, kind), 0, len(text) if end is None else end, 1.0)


def test_a_sentence_points_if_it_is_an_address_or_stands_before_one() -> None:
    labelled = "論文地址：\nhttps://example.org/a"

    assert points(sentence("https://example.org/a"))
    assert points(sentence("[1]https://example.org/a"))
    assert points(sentence(labelled, labelled.index("\n")))
    assert not points(sentence("論文地址：\n在湖邊。", 5))
    assert not points(sentence("論文地址見 https://example.org/a 。"))
    assert not points(sentence("論文地址：", 5))
    assert introduces(sentence("論文地址： "))
    assert not introduces(sentence(labelled))


@pytest.mark.parametrize(
    ("text", "kind", "of_cited", "of_the_article"),
    [
        ("https://example.org/a", "body", True, True),
        ("原文链接: https://example.org/a", "metadata", False, True),
        ("原文链接: https://example.org/paper.pdf", "metadata", False, True),
        ("paper: https://example.org/a", "metadata", True, True),
        ("author: 甲", "metadata", False, False),
    ],
)
def test_what_each_line_tells(
    text: str, kind: PassageKind, of_cited: bool, of_the_article: bool
) -> None:
    line = sentence(text, kind=kind)

    assert tells(line, fold("論文連結")) is of_cited
    assert tells(line, fold("這篇文章的連結")) is of_the_article
    assert not tells(line, fold("紙鳶飛多高"))


@pytest.fixture(scope="module")
def generation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Generation]:
    texts = {
        "link": "全文在這裡，慢慢讀。\n\nhttps://example.org/kite.pdf",
        "said": "論文的連結很多人問起，卻沒有人記得放在哪裡。",
        "other": "湖邊的鴨子睡著了。",
    }
    rows = [{"id": name, "text": text} for name, text in texts.items()]
    cache = tmp_path_factory.mktemp("cache") / "vectors.sqlite"
    with throwaway(rows, HashEmbedder(), cache) as generation:
        yield generation


def test_the_passage_that_holds_an_address_is_found_first(generation: Generation) -> None:
    def first(question: str) -> str:
        return Retriever(HashEmbedder()).retrieve(generation, question).hits[0].article.id

    assert first("論文全文的連結") == "link"
    assert first("論文的連結") == "link"
    assert first("很多人問起論文的什麼") == "said"


@pytest.mark.parametrize(
    ("text", "whether"),
    [
        ("見 https://example.org/a", True),
        ('url: "https://example.org"', True),
        ("https://example.org/a 。", False),
        ("沒有", False),
        ("", False),
    ],
)
def test_what_ends_in_an_address(text: str, whether: bool) -> None:
    assert ends_in_address(text) is whether


def cited(n: int, quote: str) -> Citation:
    return Citation(n, hit_of(quote), quote, 0, len(quote), 1.0)


def test_a_mark_is_no_part_of_an_address_and_a_mark_in_a_quotation_stays_where_it_is() -> None:
    link, named = cited(1, "參考：\n[1]https://example.org/a"), cited(2, "湖邊[1]的鴨子。")

    assert quoted([link, named], "hant") == (
        "參考：\n[1]https://example.org/a [1]\n湖邊[1]的鴨子。[2]"
    )
