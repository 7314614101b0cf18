"""Questions as people type them."""

from dataclasses import replace

import pytest

from rag.errors import EmptyQuestion, QuestionTooLong
from rag.question import (
    Query,
    clean_history,
    clean_question,
    in_context,
    is_bare,
    leans_on_history,
    with_history,
)


@pytest.mark.parametrize(
    "question",
    [
        "",
        "   ",
        "\u3000",
        "🍜🎉",
        "？？？",
        "\x00\x07",
        "<@123456789>",
        "<@&1> <#2> <:smile:3>",
        "\u200b",
    ],
    ids=[
        "empty",
        "blank",
        "wide blank",
        "emoji",
        "marks",
        "control",
        "mention",
        "mentions",
        "zero",
    ],
)
def test_a_question_without_words_is_refused(question: str) -> None:
    with pytest.raises(EmptyQuestion):
        clean_question(question, 100)


def test_a_question_too_long_is_told_its_length_and_the_limit() -> None:
    with pytest.raises(QuestionTooLong, match="10,000 characters and the limit is 2,000"):
        clean_question("問" * 10_000, 2_000)


@pytest.mark.parametrize(
    ("typed", "searched"),
    [
        (" 什麼是\n對齊？ ", "什麼是 對齊？"),
        ("<@42> 什麼是對齊？", "什麼是對齊？"),
        ("對\x00齊\u202e", "對 齊"),
        ("a" * 100, "a" * 100),
    ],
)
def test_control_characters_and_mentions_are_taken_out(typed: str, searched: str) -> None:
    assert clean_question(typed, 100) == searched


@pytest.mark.parametrize(
    ("question", "leans"),
    [
        ("那個團隊後來搬去哪裡了？", True),
        ("它後來怎麼了呢，結果如何？", True),
        ("比例呢？", True),
        ("And how did that end?", True),
        ("什麼是 sandbagging，和放水一樣嗎？", False),
        ("其實伪装对齐到底是什么意思呢", False),
        ("偽裝對齊實驗用的是哪一個模型？", False),
        ("什麼是對齊？", False),
        ("RLHF 是啥", False),
        ("什麼是它的目標？", True),
    ],
)
def test_a_follow_up_is_known_by_the_words_that_lean_on_what_was_said(
    question: str, leans: bool
) -> None:
    assert leans_on_history(question) is leans


def test_history_is_searched_with_a_follow_up_and_left_out_of_a_new_subject() -> None:
    earlier = ["伊茲邁洛夫是誰？"]

    assert with_history("他在哪裡長大？", earlier) == "伊茲邁洛夫是誰？ 他在哪裡長大？"
    assert (
        with_history("偽裝對齊實驗用的是哪一個模型？", earlier) == "偽裝對齊實驗用的是哪一個模型？"
    )


def test_more_on_a_subject_is_told_with_its_subject() -> None:
    asked = ["什麼是對齊？", "還有呢？", "還有呢？"]

    assert with_history("為什麼？", asked) == "什麼是對齊？ 還有呢？ 還有呢？ 為什麼？"


def test_history_that_cannot_be_searched_with_is_left_out() -> None:
    assert clean_history(["🍜", "", "<@1> 他是誰", "問" * 10], 5) == ["他是誰", "問" * 5]


@pytest.mark.parametrize(
    "question",
    [
        "為什麼？",
        "还有呢？",
        "那怎麼辦",
        "可以舉個例子嗎？",
        "說詳細一點",
        "And then?",
        "Tell me more about it.",
    ],
)
def test_a_question_without_a_subject_is_bare(question: str) -> None:
    assert is_bare(question)


@pytest.mark.parametrize(
    "question",
    [
        "比例呢？",
        "他是誰？",
        "有哪些風險？",
        "你是誰？",
        "why Claude?",
        "那" * 30,
        pytest.param("那為什麼" * 5000, id="long"),
    ],
)
def test_a_question_with_a_subject_or_a_very_long_one_is_not(question: str) -> None:
    assert not is_bare(question)


def test_what_was_asked_before_counts_more_for_a_question_that_leans_on_it() -> None:
    earlier = ["伊茲邁洛夫是誰？", "他在哪裡長大？"]

    leaning = in_context("他現在研究什麼？", earlier)
    standing = in_context("偽裝對齊實驗用的是哪一個模型？", earlier)

    assert leaning.text == "他現在研究什麼？"
    assert leaning.earlier == standing.earlier == "伊茲邁洛夫是誰？ 他在哪裡長大？"
    assert 0 < standing.weight < leaning.weight < in_context("作者是誰？", earlier).weight
    assert in_context("什麼是對齊？", earlier) == Query("什麼是對齊？")
    assert in_context("他現在研究什麼？", []) == Query("他現在研究什麼？")


def test_a_bare_question_wants_more_on_the_last_one_that_had_a_subject() -> None:
    asked = ["什麼是對齊？", "伊茲邁洛夫是誰？"]
    last = in_context(asked[1], asked[:1])

    assert in_context("還有呢？", asked) == replace(last, more=("還有呢？",))
    assert in_context("為什麼？", [*asked, "還有呢？"]) == replace(
        last, more=("還有呢？", "為什麼？")
    )
    assert in_context("為什麼？", ["還有呢？"]) == Query("為什麼？")
