"""What models write around an answer is borne; what they quote is kept apart from what they say."""

import pytest

from rag.reply import Claim, Quote, ReplyReader


def read(text: str, step: int = 3) -> ReplyReader:
    reader = ReplyReader()
    for at in range(0, len(text), step):
        reader.feed(text[at : at + step])
    reader.close()
    return reader


PLAIN = Claim("燈塔在北邊。", (Quote((2,), "燈塔建在港口的北側"),))


@pytest.mark.parametrize(
    "text",
    [
        "燈塔在北邊。\n> [2] 燈塔建在港口的北側",
        "燈塔在北邊。\n>[2]燈塔建在港口的北側\n",
        "燈塔在北邊。[2]\n> [2]「燈塔建在港口的北側」",
        "```\n燈塔在北邊。\n> [2] 燈塔建在港口的北側\n```",
        "<think>先看段落二。\n> [1] 不對\n</think>\n燈塔在北邊。\n> [2] 燈塔建在港口的北側",
        "段落二說的是燈塔。\n</think>\n燈塔在北邊。\n> [2] 燈塔建在港口的北側",
        "**燈塔在北邊。**\n＞ 【2】：燈塔建在港口的北側",
        "答案：燈塔在北邊。\n\n> 燈塔建在港口的北側 [2]",
        "燈塔在北邊。 > [2] 燈塔建在港口的北側",
        "燈塔在北邊。\r\n> [2] 燈塔建在港口的北側\r\n",
    ],
    ids=["plain", "tight", "quoted", "fenced", "thought", "thought without beginning",
         "emphasis and wide marks", "label and number last", "one line", "carriage returns"],
)  # fmt: skip
@pytest.mark.parametrize("step", [1, 7, 1000])
def test_the_same_claim_is_read_from_every_form(text: str, step: int) -> None:
    assert read(text, step).claims == [PLAIN]


def test_chatter_before_and_after_has_no_quotes() -> None:
    reader = read("好的，以下是答案：\n燈塔在北邊。\n> [2] 燈塔建在港口的北側\n希望有幫助！")

    assert [claim.quotes for claim in reader.claims] == [(), PLAIN.quotes, ()]
    assert reader.claims[1] == PLAIN


def test_a_quote_with_something_left_out_is_two_quotes() -> None:
    (claim,) = read("甲是乙。\n> [1] 甲在東邊……就是乙").claims

    assert claim.quotes == (Quote((1,), "甲在東邊"), Quote((1,), "就是乙"))


def test_several_quotes_and_numbers_are_kept() -> None:
    (claim,) = read("甲是乙。\n> [1, 3] 甲的事\n> [2] 乙的事").claims

    assert claim.quotes == (Quote((1, 3), "甲的事"), Quote((2,), "乙的事"))


def test_a_list_stays_a_list() -> None:
    claims = read("- 甲。\n> [1] 甲甲\n2. 乙。\n> [1] 乙乙").claims

    assert [(claim.text, claim.bullet) for claim in claims] == [("甲。", True), ("乙。", True)]


@pytest.mark.parametrize("text", ["NONE", "none.\n", "**NONE**", "<think>沒有</think>NONE"])
def test_a_model_may_say_that_the_passages_do_not_say(text: str) -> None:
    reader = read(text)

    assert reader.says_nothing
    assert reader.claims == []


def test_a_quote_before_any_sentence_is_nobodys() -> None:
    assert read("> [1] 甲\n> [2] 乙").claims == []


def test_no_more_claims_are_read_than_an_answer_needs() -> None:
    assert len(read("一句話。\n" * 1000).claims) == 8


def test_what_may_change_the_answer_is_told_while_it_comes() -> None:
    reader = ReplyReader()

    assert [reader.feed(piece) for piece in ("燈塔", "在北邊。\n", "> [2] 燈", "塔\n")] == [
        False, True, False, True,
    ]  # fmt: skip
    assert reader.so_far() == [Claim("燈塔在北邊。", (Quote((2,), "燈塔"),))]
