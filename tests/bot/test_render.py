"""Cards that Discord takes, whatever the length; parts that join to the whole."""

import asyncio
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot.escape import plain, units
from bot.render import answer_cards, passage_cards, split_at_sentences
from bot.shown import Shown, Source
from tests.bot.conftest import Run
from tests.bot.running import QUESTION
from tests.discord_local.limits import message_problems
from tests.discord_server import DiscordServer, Member


def source(n: int, quote: str = "引文。") -> Source:
    return Source(
        n=n, article_id="a", title="題目", path="a.md", author="作者", date="2026-01-02",
        heading="一節", passage=f"前{quote}後", passage_start=10, before="上" * 300,
        after="下" * 300, link=f"https://example.org/{n}", quote=quote, start=11,
        end=11 + len(quote), verified=True,
    )  # fmt: skip


def shown(text: str, citations: int = 1, **given: Any) -> Shown:
    base = Shown(
        kind="answer", question="問？", history=(), variant="hant", language="zh-TW",
        status="answered", texts={"hant": text, "hans": text},
        citations=tuple(source(n) for n in range(1, citations + 1)), nearest=(),
        generation="g",
    )  # fmt: skip
    return replace(base, **given)


def bodies(made: Shown) -> list[dict[str, Any]]:
    async def build() -> list[dict[str, Any]]:
        views = answer_cards(made, "key0", again=True)
        return [{"components": view.to_components(), "flags": 1 << 15} for view in views]

    return asyncio.run(build())


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="甲。！*_[]()`\n a😀」", max_size=400), st.integers(10, 60))
def test_parts_join_to_the_whole_and_keep_the_limit(text: str, limit: int) -> None:
    parts = split_at_sentences(text, limit)

    assert "".join(parts) == text
    assert all(units(plain(part)) <= limit for part in parts)


def test_parts_end_where_sentences_do() -> None:
    assert split_at_sentences("一二三。四五六！「七八。」九", 8) == [
        "一二三。四五六！",
        "「七八。」九",
    ]


@pytest.mark.parametrize("text", ["字" * 12_000, "句子。" * 3_000, "*_[" * 3_000, "😀" * 3_000])
def test_a_long_answer_is_sent_whole_in_messages_that_discord_takes(text: str) -> None:
    sent = bodies(shown(text))

    assert len(sent) > 1
    for body in sent:
        assert list(message_problems(body, edit=False)) == []
    written = "".join(
        component["content"]
        for body in sent
        for component in body["components"][0]["components"]
        if component["type"] == 10 and not component["content"].startswith("-#")
    )
    assert written.replace("\n", "") == plain(text)


@pytest.mark.parametrize("citations", [1, 3, 12, 25])
def test_any_number_of_sources_fits(citations: int) -> None:
    for body in bodies(shown("答。" * 10, citations)):
        assert list(message_problems(body, edit=False)) == []


def test_a_mark_without_a_source_is_plain_and_one_with_is_bold() -> None:
    (body,) = bodies(shown("甲[1]乙[2]"))

    assert "甲**\\\\[1\\\\]** 乙\\\\[2\\\\]" in str(body)


def test_a_number_in_a_quotation_is_no_mark() -> None:
    quote = "他的模型[1]比別人的[2]好。[1]"
    answer = replace(shown("他的模型[1]比别人的[2]好。[1][1]"), citations=(source(1, quote),))
    (body,) = bodies(answer)

    assert "他的模型\\\\[1\\\\]比别人的\\\\[2\\\\]好。\\\\[1\\\\]**\\\\[1\\\\]**" in str(body)


def test_a_model_is_named_and_may_be_asked_again() -> None:
    (body,) = bodies(shown("甲[1]", engine="llm:qwen"))

    assert "qwen" in str(body)
    assert "重新回答" in str(body)


def test_a_degraded_answer_says_so() -> None:
    (body,) = bodies(shown("甲[1]", degraded="timeout"))

    assert "語言模型這次沒有回答" in str(body)


def test_a_quote_that_is_not_in_its_article_breaks_the_seal() -> None:
    false = replace(source(2), verified=False)
    (body,) = bodies(replace(shown("甲[1]乙[2]"), citations=(source(1), false)))

    assert "⚠️ 1/2" in str(body)


@pytest.mark.parametrize("quote", ["引。", "*" * 1900, "字" * 1900])
def test_a_passage_of_any_length_fits(quote: str) -> None:
    async def build() -> list[Any]:
        return [view.to_components() for view in passage_cards(source(1, quote), "en", "changed")]

    for components in asyncio.run(build()):
        body = {"components": components, "flags": 1 << 15}
        assert list(message_problems(body, edit=False)) == []


async def test_a_long_answer_is_flipped_part_by_part(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question=QUESTION)
        key = next(b.custom_id for b in answer.buttons if b.label == "简").split(":")[2]
        kept = await client.desk.remember(client.desk.memory.answer, key)
        assert kept is not None
        texts = {"hant": "漢語。" * 1500, "hans": "汉语。" * 1500}
        long = replace(kept.shown, texts=texts)
        await client.desk.remember(client.desk.memory.change, key, long)
        channel = client.get_partial_messageable(int(server.home["id"]))
        posted = [await channel.send(view=v) for v in client.asking.cards(long, key, None)]
        places = [(message.channel.id, message.id) for message in posted]
        await client.desk.remember(client.desk.memory.posted, key, places)
        *first, last = alice.sees()[1:]
        await alice.click(last, "简")
        for part in first:
            await part.until("汉语")

    assert len(first) >= 1
    assert all("漢語" not in part.text for part in (*first, last))
