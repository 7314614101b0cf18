"""Who names a heading and says no more gets what stands under it."""

from dataclasses import replace

import pytest

from corpus.article import Article, Passage
from rag.fold import fold
from rag.retrieve import Retrieval
from rag.sections import asks_for_section
from rag.support import Support
from tests.rag.test_support import retrieval_of, sentence_of

ARTICLE = Article("a", "a.md", "湖邊的一年：紙鳶與鴨子", "")
PASSAGE = Passage("a:0", "a", 0, 0, 0, "", ("春天", "風從哪裡來？（Wind）"))
ONLY = (
    "關於「風從哪裡來？（Wind）」，文章怎麼說？",
    "关于“风从哪里来？（Wind）”，文章怎么说？",
    "What do the articles say about “風從哪裡來？（Wind）”?",
    "風從哪裡來 wind",
    "「風從哪裡來？（Wind）」這一節在講什麼",
    "請問「風從哪裡來？（Wind）」的內容是什麼呢",
    "介紹一下《湖邊的一年：紙鳶與鴨子》這篇文章的內容",
    "tell me about 湖邊的一年：紙鳶與鴨子",
)
MORE = (
    "「風從哪裡來？（Wind）」有多少字",
    "《湖邊的一年：紙鳶與鴨子》是誰寫的",
    "春天",  # not the innermost
    "關於「春天」，文章怎麼說？",
    "風從哪裡來",
    "昨天的風從哪裡來？Wind",
    "關於鴨子，文章怎麼說？",
    "",
    "？",
)


@pytest.mark.parametrize("question", ONLY)
def test_a_heading_alone_is_asked_for(question: str) -> None:
    assert asks_for_section(fold(question), ARTICLE, PASSAGE)


@pytest.mark.parametrize("question", MORE)
def test_whoever_says_more_asks_for_that(question: str) -> None:
    assert not asks_for_section(fold(question), ARTICLE, PASSAGE)


@pytest.mark.parametrize("heading", ["", "？！", "風", "茶會", "FAQ"])
def test_a_short_heading_may_be_any_word(heading: str) -> None:
    untitled = replace(ARTICLE, title=heading)

    assert not asks_for_section(fold(heading), untitled, replace(PASSAGE, headings=(heading,)))


def test_a_long_question_is_compared_at_once() -> None:
    assert not asks_for_section("关于" * 50_000 + "风从哪里来wind" * 2, ARTICLE, PASSAGE)


def test_what_stands_under_the_heading_supports_an_answer() -> None:
    found = retrieval_of((0.3, 0.3), (0.2, 0.2))
    hits = tuple(replace(hit, article=ARTICLE, passage=PASSAGE) for hit in found.hits)

    def support(question: str) -> float:
        retrieval = Retrieval(question, hits)
        return Support().probability(retrieval, [sentence_of(retrieval, 0, 0.0)])

    assert support(ONLY[0]) > 0.9
    assert support("昨天的" + ONLY[0]) < 0.5
