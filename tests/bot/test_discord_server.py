"""The local Discord does what Discord does, seen through an unmodified discord.py."""

import asyncio
import time
from typing import Any

import aiohttp
import discord
import pytest

from tests.bot.little_bot import INTENTS, little_bot, page
from tests.discord_local.world import SEND_MESSAGES, VIEW_CHANNEL
from tests.discord_server import (
    DiscordServer,
    Fault,
    Member,
    NoReply,
    broken,
    dropped,
    late,
    rate_limited,
    refused,
)

CALLBACK, ORIGINAL, SEND = (
    "/interactions/*/callback",
    "*/messages/@original",
    "/channels/*/messages",
)


def channel_of(client: discord.Client, server: DiscordServer) -> discord.TextChannel:
    channel = client.get_channel(int(server.home["id"]))
    assert isinstance(channel, discord.TextChannel)
    return channel


# login


async def test_the_client_logs_in_and_registers_its_translated_commands(
    server: DiscordServer,
) -> None:
    async with server.running(little_bot()):
        commands = {c["name"]: c for c in server.world.commands[None]}

        assert set(commands) == {"ask", "slow", "reindex", "message"}
        assert commands["ask"]["name_localizations"] == {"zh-TW": "問", "zh-CN": "问"}
        assert commands["reindex"]["default_member_permissions"] == "32"


@pytest.mark.usefixtures("server")
async def test_a_wrong_token_is_refused() -> None:
    async with little_bot() as client:
        with pytest.raises(discord.LoginFailure):
            await client.start("wrong")


async def test_privileged_intents_must_be_granted(server: DiscordServer) -> None:
    wants = discord.Intents(guilds=True, message_content=True)
    async with little_bot(intents=wants) as client:
        with pytest.raises(discord.PrivilegedIntentsRequired):
            await client.start(server.token)


async def test_on_ready_comes(server: DiscordServer) -> None:
    client = little_bot()
    async with server.running(client, ready=True):
        pass

    assert client.is_closed()


async def test_guilds_fall_on_their_shards() -> None:
    async with DiscordServer(shards=2) as server:
        other = server.world.add_guild("別處")
        server.world.add_channel(other, "大廳")
        client = little_bot(discord.AutoShardedClient)
        async with server.running(client):
            there = await server.member("bob", guild=other).slash("ask", question="二")
            here = await server.member("amy").slash("ask", question="一")

    assert {s.shard for s in server.gateway.sessions} == {(0, 2), (1, 2)}
    assert "二" in there.text
    assert "一" in here.text


# commands and components


async def test_a_deferred_answer_is_edited_into_a_v2_message(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="什麼是強化學習？")

    assert answer.text == "什麼是強化學習？\n> 引文"
    assert [b.label for b in answer.buttons] == ["看段落", "简", "沒幫助", "原文"]
    assert answer.seconds_to_acknowledge <= answer.seconds_to_answer < 3
    assert [r.status for r in server.sent("PATCH", "@original")] == [200]


async def test_a_command_is_found_by_the_name_that_the_member_reads(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("問", question="好嗎")

        with pytest.raises(AssertionError, match="no command '问'"):
            await alice.slash("问", question="好吗")
    assert "好嗎" in answer.text


@pytest.mark.parametrize(
    ("options", "complaint"),
    [
        ({}, "required"),
        ({"question": 5}, "wrong type"),
        ({"question": "", "colour": "red"}, "no option"),
    ],
)
async def test_the_member_cannot_send_what_discord_would_not_let_them(
    server: DiscordServer, alice: Member, options: dict[str, Any], complaint: str
) -> None:
    async with server.running(little_bot()):
        with pytest.raises(AssertionError, match=complaint):
            await alice.slash("ask", **options)


async def test_default_permissions_hide_a_command_and_an_override_shows_it(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        done = await server.moderator().slash("reindex")

        with pytest.raises(AssertionError, match="hidden"):
            await alice.slash("reindex")
        alice.timeout = 0.5
        with pytest.raises(NoReply):
            await alice.slash("reindex", force=True)
    assert done.text == "好"


async def test_a_button_in_a_container_changes_the_message_in_place(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")
        flipped = await alice.click(answer, "简")
        back = await alice.click(flipped, "flip:繁")

    assert flipped.id == answer.id == back.id
    assert back.text.startswith("改成繁體")
    assert answer.edits == 3


async def test_buttons_of_an_old_message_work_after_a_restart(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")
    server.clock.advance(30 * 24 * 3600)
    async with server.running(little_bot()):
        await alice.click(answer, "简")

    assert answer.text.startswith("改成简體")


async def test_disabled_buttons_and_links_are_not_clicked(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")

        with pytest.raises(AssertionError, match="disabled"):
            await alice.click(answer, "看段落")
        with pytest.raises(AssertionError, match="is a link"):
            await alice.click(answer, "原文")


async def test_a_modal_is_opened_and_submitted(server: DiscordServer, alice: Member) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")
        modal = await alice.click_modal(answer, "沒幫助")
        thanks = await alice.submit(modal, why="引文不對")

        with pytest.raises(AssertionError, match="too long"):
            await alice.submit(modal, why="長" * 21)
    assert modal.title == "哪裡不對？"
    assert thanks.text == "謝謝：引文不對"


async def test_a_choice_in_a_select_brings_a_follow_up(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")
        chosen = await alice.choose(answer, "甲")

    assert chosen.text == "選了 a"


async def test_a_context_menu_shows_the_bot_the_message(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        about = await alice.message_menu("問這則", alice.say("沒有提到機器人"))

    assert about.text == "「沒有提到機器人」"


async def test_an_ephemeral_answer_is_seen_by_its_asker_only(
    server: DiscordServer, alice: Member
) -> None:
    bob = server.member("bob")
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="悄悄", private=True)

        with pytest.raises(AssertionError, match="someone else"):
            await bob.click(answer, "简")
    assert answer.ephemeral
    assert [seen.id for seen in alice.sees()] == [answer.id]
    assert bob.sees() == []


# messages


async def test_a_mention_a_reply_and_a_direct_message_are_answered(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        first = await alice.ask("第一問")
        second = await alice.reply(first, "第二問")
        third = await alice.dm("第三問")

    assert [s.text[-3:] for s in (first, second, third)] == ["第一問", "第二問", "第三問"]


async def test_without_the_content_intent_other_messages_are_blank(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        said = alice.say("與機器人無關")

        with pytest.raises(NoReply):
            await alice.heard(said, within=0.3)


async def test_without_a_message_intent_nothing_is_heard(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot(intents=discord.Intents(guilds=True))):
        said = alice.say(f"<@{server.world.bot['id']}> 喂")

        with pytest.raises(NoReply):
            await alice.heard(said, within=0.3)


async def test_a_thread_grows_from_a_message(server: DiscordServer, alice: Member) -> None:
    async with server.running(little_bot()):
        inside = await alice.ask("thread")
        again = await alice.write(inside.channel_id, f"<@{server.world.bot['id']}> 還在嗎")

    assert server.world.channels[inside.channel_id]["name"] == "續談"
    assert again.channel_id == inside.channel_id


# the gateway


@pytest.mark.parametrize("how", ["drop", "reconnect"])
async def test_a_lost_connection_is_resumed_and_nothing_is_missed(
    server: DiscordServer, alice: Member, how: str
) -> None:
    async with server.running(little_bot()):
        getattr(server.gateway, how)()
        await server.until(lambda: not server.gateway.connected or None)
        exchange = alice.begin_slash("ask", question="斷線時")
        answer = await alice.answer_to(exchange)

    assert "斷線時" in answer.text
    assert (server.gateway.identified, server.gateway.resumed) == (1, 1)


async def test_an_invalid_session_is_begun_anew(server: DiscordServer, alice: Member) -> None:
    async with server.running(little_bot()):
        server.gateway.invalidate(resumable=False)
        await server.until(lambda: server.gateway.identified == 2 or None)
        answer = await alice.slash("ask", question="又來")

    assert "又來" in answer.text
    assert server.gateway.resumed == 0


async def test_a_blocked_loop_shows_in_the_heartbeats() -> None:
    async with DiscordServer(heartbeat=0.2) as server, server.running(little_bot()):
        await server.until(lambda: len(server.gateway.lateness) >= 2 or None)
        calm = max(server.gateway.lateness)
        time.sleep(0.8)  # noqa: ASYNC251 - blocking is what is tested
        await asyncio.sleep(0.5)

    assert calm < 0.2
    assert max(server.gateway.lateness) > 0.4


# deadlines and faults


async def test_three_seconds_are_the_limit_for_a_first_answer(
    server: DiscordServer, alice: Member
) -> None:
    alice.timeout = 1.0
    async with server.running(little_bot()):
        exchange = alice.begin_slash("slow", seconds=0.2)
        server.clock.advance(3.1)

        with pytest.raises(NoReply):
            await alice.answer_to(exchange)
    assert [r.answer["code"] for r in server.sent("POST", "/callback")] == [10062]


async def test_the_token_of_an_interaction_dies_after_15_minutes(
    server: DiscordServer, alice: Member
) -> None:
    client = little_bot()
    kept: list[discord.Interaction] = []

    @client.event
    async def on_interaction(interaction: discord.Interaction) -> None:
        kept.append(interaction)

    async with server.running(client):
        await alice.slash("ask", question="問")
        await kept[0].followup.send("還行")
        server.clock.advance(15 * 60)

        with pytest.raises(discord.HTTPException) as refusal:
            await kept[0].followup.send("太晚")
    assert refusal.value.code == 50027


async def test_a_429_is_waited_out(server: DiscordServer, alice: Member) -> None:
    server.fail(rate_limited(0.3), "PATCH", ORIGINAL)
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")

    assert [r.status for r in server.sent("PATCH", "@original")] == [429, 200]
    assert answer.seconds_to_answer > 0.3


async def test_a_global_429_holds_every_route(server: DiscordServer, alice: Member) -> None:
    server.fail(rate_limited(0.3, everywhere=True), "POST", SEND)
    async with server.running(little_bot()):
        await alice.ask("問")

    assert [r.status for r in server.sent("POST", "/messages")] == [429, 200]


async def test_the_window_of_a_channel_holds_five_messages(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()):
        for number in range(6):
            alice.say(f"<@{server.world.bot['id']}> {number}")
        said = time.monotonic()
        await server.until(lambda: len(alice.sees()) == 12 or None)

    assert time.monotonic() - said > 3.5
    assert server.buckets.exceeded == 0


@pytest.mark.parametrize("status", [500, 502])
async def test_a_5xx_is_tried_again(server: DiscordServer, alice: Member, status: int) -> None:
    server.fail(broken(status), "PATCH", ORIGINAL)
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")

    assert "問" in answer.text
    assert [r.status for r in server.sent("PATCH", "@original")] == [status, 200]


@pytest.mark.parametrize(
    ("fault", "code"),
    [(refused(code), code) for code in (10003, 10008, 10062, 40060, 50013, 50001)],
)
async def test_each_json_error_reaches_the_client(
    server: DiscordServer, fault: Fault, code: int
) -> None:
    client = little_bot()
    async with server.running(client):
        channel = channel_of(client, server)
        server.fail(fault, "POST", SEND)

        with pytest.raises(discord.HTTPException) as refusal:
            await channel.send("好")
    assert refusal.value.code == code


async def test_a_cut_connection_may_still_have_done_its_work(server: DiscordServer) -> None:
    client = little_bot()
    async with server.running(client):
        channel = channel_of(client, server)
        server.fail(dropped(), "POST", SEND)
        server.fail(dropped(after=True), "POST", SEND)

        for _ in range(2):
            with pytest.raises((OSError, aiohttp.ClientError)):
                await channel.send("好")
    assert [m.payload["content"] for m in server.messages] == ["好"]


async def test_a_late_answer_is_late(server: DiscordServer, alice: Member) -> None:
    server.fail(late(0.4), "POST", CALLBACK)
    async with server.running(little_bot()):
        answer = await alice.slash("ask", question="問")

    assert answer.seconds_to_acknowledge < 0.4 < answer.seconds_to_answer


async def test_of_two_programs_with_one_token_the_second_answer_is_40060(
    server: DiscordServer, alice: Member
) -> None:
    async with server.running(little_bot()), server.running(little_bot()):
        await alice.slash("ask", question="問")
        await server.until(lambda: len(server.sent("POST", "/callback")) == 2 or None)

    assert sorted(r.status for r in server.sent("POST", "/callback")) == [200, 400]
    assert {r.answer.get("code") for r in server.sent("POST", "/callback")} == {None, 40060}


async def test_deleted_messages_and_channels_are_unknown(
    server: DiscordServer, alice: Member
) -> None:
    client = little_bot()
    async with server.running(client):
        answer = await alice.ask("問")
        channel = channel_of(client, server)
        message = await channel.fetch_message(int(answer.id))
        server.delete(answer)
        with pytest.raises(discord.NotFound) as gone:
            await message.edit(content="改")
        server.world.delete_channel(answer.channel_id)
        with pytest.raises(discord.NotFound) as closed:
            await channel.send("在嗎")

    assert (gone.value.code, closed.value.code) == (10008, 10003)


@pytest.mark.parametrize(("denied", "code"), [(SEND_MESSAGES, 50013), (VIEW_CHANNEL, 50001)])
async def test_a_missing_permission_is_refused(
    server: DiscordServer, denied: int, code: int
) -> None:
    client = little_bot()
    async with server.running(client):
        server.world.deny(server.home, server.world.bot["id"], denied)
        channel = channel_of(client, server)

        with pytest.raises(discord.Forbidden) as refusal:
            await channel.send("好")
    assert refusal.value.code == code


# pings


def hostile(server: DiscordServer, victim: Member) -> str:
    return f"@everyone @here {victim.mention} <@&{server.guild['roles'][1]['id']}> `@everyone`"


@pytest.mark.parametrize(("allowed", "count"), [(None, 4), (discord.AllowedMentions.none(), 0)])
async def test_hostile_pings_are_counted(
    server: DiscordServer, allowed: discord.AllowedMentions | None, count: int
) -> None:
    victim, client = server.member("victim"), little_bot(allowed_mentions=allowed)
    async with server.running(client):
        channel = channel_of(client, server)
        to_answer = await channel.fetch_message(int(victim.say("hi").id))
        await to_answer.reply(hostile(server, victim))
        await channel.send(view=page(hostile(server, victim)))

    # Everyone, the role and the person: the reply pings the person only once.
    assert server.pings == {4: 6, 0: 0}[count]


# validation


async def test_a_request_that_discord_would_reject_fails_the_test() -> None:
    client = little_bot()
    async with DiscordServer(strict=False) as server, server.running(client):
        with pytest.raises(discord.HTTPException) as refusal:
            await channel_of(client, server).send("長" * 2001)

        with pytest.raises(AssertionError, match=r"Discord would reject:\n.*2001 characters"):
            server.check()
    assert refusal.value.code == 50035


async def test_what_is_no_route_is_named() -> None:
    async with DiscordServer(strict=False) as server:
        client = little_bot()
        async with server.running(client):
            with pytest.raises(discord.HTTPException):
                await client.fetch_invite("none")

    assert "does not serve" in server.rejected[0].problems[0]


# a process of its own


async def test_another_process_can_log_in(server: DiscordServer) -> None:
    command = server.command_line("tests.bot.run_little_bot", server.token)
    process = await asyncio.create_subprocess_exec(*command)
    try:
        await server.until(lambda: server.gateway.connected or None, 20)
    finally:
        process.terminate()

    assert await process.wait() == -15
    assert server.gateway.sessions[0].intents == INTENTS.value


async def test_forms_are_checked_at_the_end_when_time_is_measured() -> None:
    client = little_bot()
    async with DiscordServer(check_later=True, strict=False) as server, server.running(client):
        await channel_of(client, server).send("長" * 2001)

    assert "2001 characters" in server.rejected[0].problems[0]
