"""The weekly digest: once a week, in the server's language, without names and secrets."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from bot.client import YoujuBot
from bot.digest import Digest, week_of
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.gap_rows import asked, direction
from tests.bot.running import QUESTION
from tests.bot.test_safety import assert_harmless
from tests.discord_server import DiscordServer, Member, refused

_WEEK = 7 * 24 * 3600.0
MONDAY = 1763974800.0  # 2025-11-24 09:00 UTC


def digest_of(client: YoujuBot, server: DiscordServer, now: float | None = None) -> Digest:
    at = time.time() if now is None else now
    return Digest(client, client.desk, int(server.home["id"]), lambda: at)


@contextmanager
def counted(alice: Member, posted: int) -> Iterator[None]:
    before = len(alice.sees())
    yield
    assert len(alice.sees()) == before + posted


async def kept(client: YoujuBot, server: DiscordServer, question: str, **given: Any) -> str:
    given = {"guild": int(server.guild["id"])} | given
    return await client.desk.remember(asked, client.desk.memory, question, **given)


def test_a_week_begins_on_monday_at_nine() -> None:
    assert week_of(MONDAY) == "2025-W48"
    assert week_of(MONDAY - 1) == "2025-W47"
    assert week_of(MONDAY + _WEEK - 1) == "2025-W48"


async def test_a_digest_is_posted_once_a_week_also_after_a_restart(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        await kept(client, server, "節目多久錄一集？")
        with counted(alice, 1):
            first = await digest_of(client, server).post_if_due()
            again = await digest_of(client, server).post_if_due()
    async with run() as client:
        with counted(alice, 0):
            restarted = await digest_of(client, server).post_if_due()
        next_week = digest_of(client, server, time.time() + _WEEK)
        await kept(client, server, "新的問題？", at=time.time() + _WEEK - 60, vector=direction(1))
        with counted(alice, 1):
            later = await next_week.post_if_due()

    assert (first, again, restarted, later) == (True, False, False, True)
    assert "節目多久錄一集" not in alice.sees()[-1].text
    assert "新的問題" in alice.sees()[-1].text


async def test_it_tells_counts_gaps_and_bad_answers_in_the_language_of_the_server(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    server.guild["preferred_locale"] = "zh-CN"
    async with run(answering) as client:
        answer = await alice.slash("ask", question=QUESTION)
        modal = await alice.click_modal(answer, "沒幫助")
        await alice.submit(modal, kind="wrong", why="小明說錯了")
        await kept(client, server, "@everyone <@123456789012345678> 多久录一集？", person="p")
        posted = await digest_of(client, server).post_if_due()
        seen = alice.sees()[-1]

    assert posted
    assert "共 **2** 个问题：回答 **1** 个，婉拒 **1** 个" in seen.text
    assert "👎 1" in seen.text
    assert QUESTION in seen.text
    assert "多久录一集" in seen.text
    assert "小明" not in seen.text
    assert "alice" not in seen.text
    assert "123456789012345678" not in seen.text
    assert_harmless(seen)


async def test_private_questions_and_those_of_other_servers_are_not_quoted(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    async with run(refusing) as client:
        await alice.slash("ask", question="這是悄悄問的嗎？", private=True)
        await kept(client, server, "別的伺服器的問題？", guild=42, vector=direction(2, 384))
        await digest_of(client, server).post_if_due()
        seen = alice.sees()[-1]

    assert "共 **1** 個問題" in seen.text or "**1** questions" in seen.text
    assert "悄悄問" not in seen.text
    assert "別的伺服器" not in seen.text


async def test_nothing_is_posted_when_nobody_asked_or_no_channel_is_set(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        with counted(alice, 0):
            quiet = await digest_of(client, server).post_if_due()
            off = await Digest(client, client.desk, None).post_if_due()

    assert (quiet, off) == (False, False)


async def test_a_digest_that_cannot_be_posted_is_tried_again(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        await kept(client, server, "節目多久錄一集？")
        server.fail(refused(50013), "POST", "/channels/*/messages")
        failed = await digest_of(client, server).post_if_due()
        posted = await digest_of(client, server).post_if_due()

    assert (failed, posted) == (False, True)
    assert "節目多久錄一集" in alice.sees()[-1].text


async def test_the_bot_posts_it_by_itself_into_the_channel_that_is_set(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run() as client:
        await kept(client, server, "節目多久錄一集？")
    async with run(digest_channel=int(server.home["id"])):
        await server.until(
            lambda: any("節目多久錄一集" in seen.text for seen in alice.sees()) or None, within=30
        )
