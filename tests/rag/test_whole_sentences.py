"""What a quotation takes of what was read."""

import math
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.article import Article, Passage
from corpus.sentence import sentences
from rag.read import Sentence
from rag.result import Hit
from rag.whole_sentences import self_contained, whole


def read(text: str, kind: str = "body", article: str = "a") -> list[Sentence]:
    """Every sentence of a text as a reader tells it, each less likely than the one before."""
    passage = Passage(f"{article}#0", article, 0, 0, len(text), text, kind=kind)  # type: ignore[arg-type]
    hit = Hit(passage, Article(article, article, "", text), 1.0)
    return [Sentence(hit, *span, score=-float(n)) for n, span in enumerate(sentences(text))]


def texts(found: list[Sentence]) -> list[str]:
    return [sentence.text for sentence in found]


def test_clauses_that_a_semicolon_parts_are_quoted_as_one() -> None:
    parts = read("窯廠在山腳下；一九五二年停工。土坡上還看得到舊煙囪。")

    found = whole(parts)

    assert texts(found) == ["窯廠在山腳下；一九五二年停工。", "土坡上還看得到舊煙囪。"]
    assert found[0].score == pytest.approx(math.log(math.exp(0) + math.exp(-1)))
    assert found[1].score == -2


def test_two_likely_clauses_come_before_one_that_is_a_little_likelier() -> None:
    parts = read("茶行有三間。一間賣紅茶；一間賣綠茶。")
    scores = (1.0, 0.9, 0.9)
    weighed = [replace(part, score=score) for part, score in zip(parts, scores, strict=True)]

    assert texts(whole(weighed))[0] == "一間賣紅茶；一間賣綠茶。"


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("一、先洗米；\n二、再加水。", "body"),
        ("作者：林；日期：三月", "metadata"),
        ("甲" * 100 + "；" + "乙" * 100 + "。", "body"),
    ],
    ids=["a list of lines", "metadata", "too long"],
)
def test_what_does_not_belong_to_one_sentence_stays_apart(text: str, kind: str) -> None:
    parts = read(text, kind)

    assert len(parts) == 2
    assert whole(parts) == parts


def test_clauses_around_what_was_said_already_stay_apart() -> None:
    first, _, last = read("先洗米；再加水；最後開火。")

    assert texts(whole([first, last])) == ["先洗米；", "最後開火。"]


def test_sentences_of_two_passages_are_never_one() -> None:
    parts = [*read("先洗米；", article="a"), *read("再加水。", article="b")]

    assert texts(whole(parts)) == ["先洗米；", "再加水。"]


@pytest.mark.parametrize(
    ("text", "quoted"),
    [
        ("陳阿梅開了茶行。她每天賣三十壺。", "陳阿梅開了茶行。她每天賣三十壺。"),
        ("陈家有座窑。但是，该窑早已停工。", "陈家有座窑。但是，该窑早已停工。"),
        ("老師傅走了。同年十月窯廠關門。", "老師傅走了。同年十月窯廠關門。"),
        ("The kiln is old. However, it still works.", "The kiln is old. However, it still works."),
        ("陳阿梅開了茶行。其他人賣魚。", "其他人賣魚。"),
        ("陳阿梅開了茶行。其實沒人知道。", "其實沒人知道。"),
        ("The kiln is old. Iterations take a week.", "Iterations take a week."),
        ("第一段說完了。\n\n她每天賣三十壺。", "她每天賣三十壺。"),
        ("甲" * 130 + "。她每天賣三十壺。", "她每天賣三十壺。"),
        ("她每天賣三十壺。", "她每天賣三十壺。"),
    ],
    ids=[
        "she",
        "this one, after a but",
        "that year",
        "it",
        "others",
        "in fact",
        "a longer word",
        "another paragraph",
        "too long",
        "nothing before",
    ],
)
def test_a_sentence_is_not_quoted_without_the_one_it_leans_on(text: str, quoted: str) -> None:
    parts = read(text)

    assert self_contained(parts[-1], parts).text == quoted


def test_nothing_is_quoted_again_for_the_sake_of_a_pronoun() -> None:
    _, again = read("陳阿梅開了茶行。她每天賣三十壺。")

    assert self_contained(again, [again]) == again


@given(st.text(alphabet="甲乙她這；。，\n 1", max_size=60))
def test_every_character_that_was_read_is_in_one_sentence(text: str) -> None:
    parts = read(text)
    found = sorted(whole(parts), key=lambda s: s.start)

    assert all(one.end <= next_.start for one, next_ in pairwise(found))
    assert all(any(s.start <= p.start and p.end <= s.end for s in found) for p in parts)
    assert all(self_contained(s, found).end == s.end for s in found)
