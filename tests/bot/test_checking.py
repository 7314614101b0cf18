"""A message held against the articles, sentence by sentence."""

import pytest

from bot.checking import (
    NEGATION_DIFFERS,
    NUMBERS_AGREE,
    NUMBERS_DIFFER,
    SAYS,
    SILENT,
    alike,
    check,
    compare,
)
from rag.errors import EmptyQuestion
from rag.service import Service
from tests.bot.conftest import Run
from tests.discord_server import DiscordServer, Member, Seen


@pytest.mark.parametrize(
    ("claim", "quote", "verdict"),
    [
        ("水在一百度沸騰", "水在100度沸騰", SAYS),
        ("比例是 12%", "在實驗裡，比例是12%。", NUMBERS_AGREE),
        ("比例是 14%", "在實驗裡，比例是12%。", NUMBERS_DIFFER),
        ("共有三家公司", "共有3家公司", NUMBERS_AGREE),
        ("共有十二家公司", "共有3家公司", NUMBERS_DIFFER),
        ("模型會說謊", "模型不會說謊", NEGATION_DIFFERS),
        ("模型没有说谎", "模型並沒有說謊", SAYS),
        ("兩者不同", "兩者各異", SAYS),
        ("It is not true", "It is true", NEGATION_DIFFERS),
    ],
)
def test_figures_and_negations_are_compared_across_scripts(
    claim: str, quote: str, verdict: str
) -> None:
    assert compare(claim, quote) == verdict


def test_likeness_does_not_mind_the_script() -> None:
    assert alike("強化學習", "强化学习很有用") == 1.0
    assert alike("強化學習", "今天天氣很好") == 0.0


def sentence_of(service: Service) -> str:
    """A sentence with a figure, out of the articles."""
    text = service.article_text(service.articles()[0].id) or ""
    found = (s for s in text.split("。") if "12%" in s or "2026 年 1 月" in s)
    return next(found).split("\n")[-1] + "。"


def test_a_sentence_of_an_article_is_found_and_agrees(answering: Service) -> None:
    (one,) = check(answering, sentence_of(answering))[:1]

    assert one.verdict == NUMBERS_AGREE
    assert one.hit is not None


def test_what_the_articles_are_silent_about_is_called_so(answering: Service) -> None:
    (one,) = check(answering, "台中第二市場的滷肉飯最好吃了。")

    assert (one.verdict, one.hit) == (SILENT, None)


def test_a_message_without_a_claim_has_nothing_to_check(answering: Service) -> None:
    with pytest.raises(EmptyQuestion):
        check(answering, "嗯。好！👀")


async def test_the_menu_checks_a_message_for_the_asker_alone(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    said = server.member("bob").say(f"{sentence_of(answering)}台中第二市場的滷肉飯最好吃了。")
    async with run():
        told = await alice.message_menu("核對來源", said)
        assert isinstance(told, Seen)
        passage = await alice.click(told, "看段落", nth=0)

    assert told.ephemeral
    assert "請自行判斷" in told.text
    assert "文章這樣說" in told.text
    assert "文章沒有談到" in told.text
    assert passage.ephemeral
