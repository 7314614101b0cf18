"""What moderators read when a new index answers golden questions worse."""

import json

import pytest

from bot.errors_text import sentence_for
from bot.reports import report_cards, worse_questions
from bot.texts import LANGUAGES
from rag.errors import CanaryFell
from rag.result import ArticleChanges, ReindexReport, Worse

WORSE = Worse("t", "綠茶要用 *幾度* 的水？", "right, passage found at 1", "refused")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_refused_switch_is_told_with_its_numbers(language: str) -> None:
    told = sentence_for(CanaryFell(2, 30, (WORSE,)), language)

    assert "2" in told
    assert "30" in told
    assert "/reindex force" in told


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_question_is_listed_with_what_became_of_it(language: str) -> None:
    told = worse_questions((WORSE,), language)

    assert "綠茶要用 \\*幾度\\* 的水？" in told
    assert "right, passage found at 1 → refused" in told


def test_many_questions_are_counted() -> None:
    told = worse_questions((WORSE,) * 40, "en")

    assert told.count("綠茶") == 12
    assert "28 more" in told


async def test_a_report_lists_what_got_a_little_worse() -> None:
    report = ReindexReport("g", ArticleChanges(), 3, 0, 1.0, worse=(WORSE,))

    shown = [card.to_components() for card in report_cards(report, "en")]

    assert "Golden questions that got worse" in json.dumps(shown)
