"""Asking: every way in, and what the buttons of an answer do."""

from dataclasses import replace

import pytest

from bot.client import YoujuBot
from bot.language import language_for
from bot.memory import Kept
from rag.service import Service
from rag.variant import to_variant
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, QUESTION_HANS
from tests.discord_server import DiscordServer, Member, NoReply, Seen

V2 = 1 << 15


async def kept_of(client: YoujuBot, seen: Seen) -> Kept | None:
    """What the bot remembers of an answer, by the key that its buttons carry."""
    ids = [b.custom_id or "" for b in seen.buttons]
    (flip,) = (custom_id for custom_id in ids if custom_id.startswith("yj:flip"))
    return await client.desk.remember(client.desk.memory.answer, flip.split(":")[2])


def labels(seen: Seen) -> set[str]:
    return {button.label for button in seen.buttons}


# the ways in


async def test_ask_is_deferred_and_answered_with_quotes_and_a_seal(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)

    assert answer.payload["flags"] & V2
    assert QUESTION in answer.text
    assert "**\\[1\\]" in answer.text
    assert "\n> " in answer.text
    assert "-# ✓ " in answer.text
    assert "逐字核對" in answer.text
    assert {"看段落", "简", "有幫助", "沒幫助", "開討論串"} <= labels(answer)
    assert "重新回答" not in labels(answer)
    assert not answer.ephemeral
    assert answer.seconds_to_acknowledge < 1


async def test_a_private_answer_is_seen_by_its_asker_only_and_opens_no_thread(
    run: Run, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION, private=True)

    assert answer.ephemeral
    assert "開討論串" not in labels(answer)


async def test_a_mention_is_answered_under_it(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.ask(QUESTION)

    assert answer.replies_to is not None
    assert QUESTION in answer.text
    assert len(answer.pings) == 0


async def test_a_bare_mention_is_greeted(run: Run, alice: Member) -> None:
    async with run():
        greeting = await alice.ask("")

    assert "`/問`" in greeting.text


async def test_a_bare_mention_in_reply_to_a_message_asks_about_that_message(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    bob = server.member("bob")
    async with run():
        said = bob.say(f"<@{server.world.bot['id']}>　{QUESTION}")
        first = await bob.heard(said)
        answer = await alice.reply(said, f"<@{server.world.bot['id']}>")

    assert QUESTION in first.text
    assert QUESTION in answer.text


async def test_a_direct_message_is_answered(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.dm(QUESTION)

    assert QUESTION in answer.text
    assert "開討論串" not in labels(answer)


async def test_direct_messages_can_be_turned_off(run: Run, alice: Member) -> None:
    alice.timeout = 0.5
    async with run(direct_messages=False):
        with pytest.raises(NoReply):
            await alice.dm(QUESTION)


async def test_what_is_not_meant_for_the_bot_is_left_alone(run: Run, alice: Member) -> None:
    async with run():
        said = alice.say("大家晚安")

        with pytest.raises(NoReply):
            await alice.heard(said, within=0.4)


async def test_a_reply_is_a_follow_up_with_the_exchange_as_history(run: Run, alice: Member) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question="Izmailov 的博士研究什麼？")
        follow_up = await alice.reply(answer, "那他在哪裡長大？")
        third = await alice.reply(follow_up, "之後呢？")
        kept = await kept_of(client, third)

    assert kept is not None
    assert kept.shown.history == ("Izmailov 的博士研究什麼？", "那他在哪裡長大？")


async def test_the_message_menu_asks_about_a_message(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    said = server.member("bob").say(QUESTION_HANS)
    async with run():
        answer = await alice.message_menu("問這則", said)

    assert isinstance(answer, Seen)
    assert QUESTION_HANS in answer.text


async def test_a_message_without_words_is_explained(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    said = server.member("bob").say("👀")
    async with run():
        told = await alice.message_menu("問這則", said)

    assert isinstance(told, Seen)
    assert "請寫下" in told.text


# the script of an answer


@pytest.mark.parametrize(
    ("question", "locale", "option", "own", "seal"),
    [
        (QUESTION, "zh-CN", None, None, "逐字核對"),
        (QUESTION_HANS, "zh-TW", None, None, "逐字核对"),
        (QUESTION_HANS, "zh-CN", "hant", None, "逐字核對"),
        (QUESTION_HANS, "zh-CN", None, "hant", "逐字核對"),
        (QUESTION, "zh-TW", "hans", "hant", "逐字核对"),
        ("sandbagging", "zh-CN", None, None, "逐字核对"),
        ("sandbagging", "zh-TW", None, None, "逐字核對"),
        ("What is sandbagging?", "en-US", None, None, "checked"),
    ],
    ids=["question-hant", "question-hans", "option", "own", "option-over-own", "locale-cn",
         "locale-tw", "english"],
)  # fmt: skip
async def test_option_over_own_choice_over_question_over_locale(
    run: Run, server: DiscordServer, question: str, locale: str, option: str | None,
    own: str | None, seal: str,
) -> None:  # fmt: skip
    member = server.member("bob", locale=locale)
    async with run():
        if own:
            await member.slash("settings", variant=own)
        given = {"variant": option} if option else {}
        answer = await member.slash("ask", question=question, **given)

    assert seal in answer.text


def test_the_words_around_an_answer_are_english_for_english_askers_only() -> None:
    assert language_for("hant", None, "What is this?", "en-GB") == "en"
    assert language_for("hant", None, "What is this?", "zh-TW") == "zh-TW"
    assert language_for("hans", None, "这是什么？", "en-GB") == "zh-CN"
    assert language_for("hant", "hant", "What is this?", None) == "zh-TW"


# refusals


async def test_a_refusal_cites_nothing_offers_the_nearest_and_says_what_to_ask(
    run: Run, alice: Member, refusing: Service
) -> None:
    async with run(refusing):
        answer = await alice.slash("ask", question="推薦台中好吃的滷肉飯")
        passage = await alice.click(answer, "看段落", nth=0)
        topic = next(b for b in answer.buttons if (b.custom_id or "").startswith("yj:topic"))
        asked = await alice.click(answer, topic.label)

    assert topic.label in asked.text
    assert asked.id != answer.id
    assert "\\[1\\]" not in answer.text
    assert "逐字核對" not in answer.text
    assert "最接近的段落" in answer.text
    assert "可以直接問" in answer.text
    assert [b.label for b in answer.buttons].count("看段落") == 3
    assert passage.ephemeral


async def test_topics_are_offered_and_asked_in_the_askers_script(
    run: Run, alice: Member, refusing: Service
) -> None:
    def topics(message: Seen) -> list[str]:
        own = (b for b in message.buttons if (b.custom_id or "").startswith("yj:topic"))
        return [b.label or "" for b in own]

    async with run(refusing):
        answer = await alice.slash("ask", question="偽裝對齊的實驗怎麼設計")
        offered = topics(answer)
        asked = await alice.click(answer, offered[0])
        other = topics(await alice.click(answer, "简"))

    assert any(to_variant(label, "hans") != label for label in offered)
    assert [to_variant(label, "hant") for label in offered] == offered
    assert [to_variant(label, "hans") for label in other] == other
    assert offered[0] in asked.text
    assert "简" in [b.label for b in asked.buttons]  # it is in Traditional Chinese


# the buttons


async def test_the_other_script_is_shown_in_place_and_back(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        before = answer.text
        flipped = await alice.click(answer, "简")
        after = flipped.text
        back = await alice.click(flipped, "繁")

    assert flipped.id == answer.id == back.id
    assert "逐字核对" in after
    assert back.text == before
    # Quotations stay as they are written.
    assert [li for li in before.split("\n") if li.startswith("> ")] == [
        li for li in after.split("\n") if li.startswith("> ")
    ]


async def test_someone_else_gets_the_other_script_for_themselves(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    bob = server.member("bob", locale="zh-CN")
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        before = answer.text
        copy = await bob.click(answer, "简")

    assert copy.ephemeral
    assert "逐字核对" in copy.text
    assert answer.text == before


async def test_a_helpful_answer_is_counted_once_a_person(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question=QUESTION)
        thanks = await alice.click(answer, "有幫助")
        await alice.click(answer, "有幫助")
        await server.member("bob").click(answer, "有幫助")
        counts = await client.desk.remember(client.desk.memory.counts)

    assert thanks.ephemeral
    assert (counts.helpful, counts.unhelpful) == (2, 0)


async def test_an_unhelpful_answer_takes_a_reason(run: Run, alice: Member) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question=QUESTION)
        modal = await alice.click_modal(answer, "沒幫助")
        thanks = await alice.submit(modal, kind="wrong", why="他在別處長大")
        counts = await client.desk.remember(client.desk.memory.counts)

    assert modal.title == "哪裡沒幫上忙？"
    assert thanks.ephemeral
    assert counts.unhelpful == 1


async def test_a_thread_goes_on_with_what_was_asked_before(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question=QUESTION)
        opened = await alice.click(answer, "開討論串")
        thread = server.world.channels[answer.id]
        (welcome,) = alice.sees(thread["id"])
        inside = await alice.ask("那他研究什麼？", where=thread["id"])
        hint = await alice.write(thread["id"], "沒有提及機器人")
        modal = await alice.click_modal(welcome, "接著問")
        third = await alice.submit(modal, question="還有呢？")
        kept = await kept_of(client, third)

    assert thread["name"] == QUESTION
    assert opened.ephemeral
    assert thread["id"] in opened.text
    assert inside.channel_id == thread["id"]
    assert "開討論串" not in labels(inside)
    assert "Discord" in hint.text
    assert kept is not None
    assert kept.shown.history == (QUESTION, "那他研究什麼？")


async def test_the_hint_of_a_thread_is_given_once(run: Run, alice: Member) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        await alice.click(answer, "開討論串")
        await alice.write(answer.id, "第一句")
        again = alice.say("第二句", where=answer.id)

        with pytest.raises(NoReply):
            await alice.heard(again, within=0.4)


async def test_a_second_thread_button_leads_to_the_thread_that_is_there(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        await alice.click(answer, "開討論串")
        again = await alice.click(answer, "開討論串")

    assert answer.id in again.text
    assert len(server.sent("POST", "/threads")) == 2


async def test_where_a_model_answers_the_asker_may_have_it_answer_again(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        answer = await alice.slash("ask", question=QUESTION)
        kept = await kept_of(client, answer)
        assert kept is not None
        by_model = replace(kept.shown, engine="llm:qwen")
        await client.desk.remember(client.desk.memory.change, kept.id, by_model)
        await alice.click(answer, "简")
        shown = await alice.click(answer, "繁")
        named = shown.text
        refused = await server.member("bob").click(shown, "重新回答")
        again = await alice.click(shown, "重新回答")

    assert "qwen" in named
    assert "只有提問的人" in refused.text
    assert again.id == answer.id
    assert "qwen" not in again.text
    assert "重新回答" not in labels(again)


# later


async def test_buttons_work_after_a_restart_and_in_a_message_from_last_month(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
    server.clock.advance(40 * 24 * 3600)
    async with run():
        passage = await alice.click(answer, "看段落", nth=0)
        flipped = await alice.click(answer, "简")
        modal = await alice.click_modal(answer, "没帮助")

    assert passage.ephemeral
    assert "逐字核对" in flipped.text
    assert modal.fields


async def test_what_is_older_than_the_retention_is_gone_and_its_buttons_say_so(
    run: Run, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
    async with run(retention_days=1e-9) as client:
        await client.desk.remember(client.desk.memory.expire)
        told = await alice.click(answer, "简")

    assert told.ephemeral
    assert "已經刪除" in told.text
