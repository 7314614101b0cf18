"""Questions as people type them."""

import pytest

from rag.errors import EmptyQuestion, QuestionTooLong
from rag.question import clean_history, clean_question, leans_on_history, with_history


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


def test_history_that_cannot_be_searched_with_is_left_out() -> None:
    assert clean_history(["🍜", "", "<@1> 他是誰", "問" * 10], 5) == ["他是誰", "問" * 5]
