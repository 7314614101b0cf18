"""Under load and under faults: the line, the cooldown, 50 at once, and what Discord does wrong."""

import asyncio
import time
from pathlib import Path
from typing import Any

import pytest

from bot.errors import CoolingDown, QueueFull, ShuttingDown, Stopped, TooManyWaiting, WaitedTooLong
from bot.waiting import Cooldown, Ticket, WaitingLine
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, fifty_at_once, running_bot
from tests.discord_local.world import CREATE_PUBLIC_THREADS, SEND_MESSAGES
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

ORIGINAL, CALLBACK = "*/messages/@original", "/interactions/*/callback"
SEND = "/channels/*/messages"


class Slow:
    """The Service, each answer of which takes some seconds longer."""

    def __init__(self, service: Service, seconds: float) -> None:
        self._service, self._seconds = service, seconds

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def ask(self, *args: Any, **kwargs: Any) -> Any:
        time.sleep(self._seconds)
        return self._service.ask(*args, **kwargs)


# the line


async def silent(_ticket: Ticket, _place: int) -> None: ...


async def test_the_line_serves_in_order_and_no_more_than_it_may() -> None:
    line, order, most = WaitingLine(50, 50, 2, 5.0), [], 0

    async def one(number: int) -> None:
        nonlocal most
        async with line.turn("p", silent):
            most = max(most, line.working)
            order.append(number)
            await asyncio.sleep(0.005)

    await asyncio.gather(*(one(number) for number in range(20)))

    assert order == list(range(20))
    assert (most, line.working, len(line)) == (2, 0, 0)


async def test_the_line_refuses_what_is_too_much() -> None:
    line, open_ = WaitingLine(2, 2, 1, 5.0), asyncio.Event()

    async def one(person: str) -> None:
        async with line.turn(person, silent):
            await open_.wait()

    tasks = [asyncio.create_task(one("a")), asyncio.create_task(one("a"))]
    await asyncio.sleep(0)
    with pytest.raises(TooManyWaiting):
        line.check("a")
    tasks.append(asyncio.create_task(one("b")))
    await asyncio.sleep(0)
    with pytest.raises(QueueFull):
        line.check("c")
    open_.set()
    await asyncio.gather(*tasks)
    line.check("a")


async def test_who_waits_too_long_is_let_go_and_leaves_no_trace() -> None:
    line, open_ = WaitingLine(9, 9, 1, 0.05), asyncio.Event()

    async def hold() -> None:
        async with line.turn("a", silent):
            await open_.wait()

    holder = asyncio.create_task(hold())
    await asyncio.sleep(0)
    with pytest.raises(WaitedTooLong):
        async with line.turn("b", silent):
            pass
    open_.set()
    await holder

    assert (line.working, len(line)) == (0, 0)


async def test_a_cancelled_question_gives_its_place_on() -> None:
    line, open_ = WaitingLine(9, 9, 1, 5.0), asyncio.Event()

    async def hold() -> None:
        async with line.turn("a", silent):
            await open_.wait()

    holder, waiting = asyncio.create_task(hold()), asyncio.create_task(hold())
    await asyncio.sleep(0)
    waiting.cancel()
    holder.cancel()
    await asyncio.gather(holder, waiting, return_exceptions=True)
    async with line.turn("b", silent):
        assert line.working == 1


async def test_a_closed_line_lets_work_end_and_sends_the_others_home() -> None:
    line, done = WaitingLine(9, 9, 1, 5.0), []

    async def hold() -> None:
        async with line.turn("a", silent):
            await asyncio.sleep(0.1)
            done.append(True)

    first, second = asyncio.create_task(hold()), asyncio.create_task(hold())
    await asyncio.sleep(0)
    await line.close(2.0)

    assert done == [True]
    assert isinstance(
        (await asyncio.gather(first, second, return_exceptions=True))[1], ShuttingDown
    )
    with pytest.raises(ShuttingDown):
        line.check("b")


async def test_a_ticket_is_taken_back_only_while_it_waits() -> None:
    line, tickets = WaitingLine(9, 9, 1, 5.0), []

    async def keep(ticket: Ticket, _: int) -> None:
        tickets.append(ticket)

    async with line.turn("a", keep):
        waiting = asyncio.create_task(line.turn("b", keep).__aenter__())
        await asyncio.sleep(1.2)
        assert line.stop(tickets[0])
        with pytest.raises(Stopped):
            await waiting
        assert not line.stop(tickets[0])


def test_a_cooldown_counts_for_each_person() -> None:
    cooldown = Cooldown(2, 60)
    for person in ("a", "a", "b"):
        cooldown.take(person)

    with pytest.raises(CoolingDown) as told:
        cooldown.take("a")
    assert 58 <= told.value.seconds <= 60
    Cooldown(1, 0).take("a")


async def test_the_cooldown_is_told_to_the_asker_alone(run: Run, alice: Member) -> None:
    async with run(cooldown=60.0, cooldown_questions=1):
        await alice.slash("ask", question=QUESTION)
        told = await alice.slash("ask", question=QUESTION)

    assert told.ephemeral
    assert "秒再問" in told.text


async def test_a_flood_of_mentions_is_answered_with_one_refusal(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run(cooldown=60.0, cooldown_questions=1):
        await alice.ask(QUESTION)
        told = await alice.ask(QUESTION)
        for _ in range(3):
            alice.say(f"<@{server.world.bot['id']}> {QUESTION}")
        await alice.slash("help")

    assert "秒再問" in told.text
    assert len([seen for seen in alice.sees() if "秒再問" in seen.text]) == 1


async def test_who_waits_is_shown_the_place_and_may_stop(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    slow: Any = Slow(answering, 2.0)
    async with run(slow, workers=1):
        first = alice.begin_slash("ask", question=QUESTION)
        second = alice.begin_slash("ask", question=QUESTION)
        third = alice.begin_slash("ask", question=QUESTION)
        waiting = await alice.answer_to(third)
        place = waiting.text
        refused_ = await server.member("bob").click(waiting, "不問了")
        alice.begin_click(waiting, "不問了")
        await waiting.until("好，不問了")
        full = await alice.answer_to(first)
        await alice.answer_to(second)

    assert "第 2 位" in place
    assert "只有提問的人" in refused_.text
    assert QUESTION in full.text


async def test_a_full_line_is_told_at_once(
    run: Run, server: DiscordServer, answering: Service
) -> None:
    slow: Any = Slow(answering, 1.0)
    async with run(slow, workers=1, queue=1):
        begun = []
        for n in range(2):
            member = server.member(f"m{n}")
            begun.append((member, member.begin_slash("ask", question=QUESTION)))
            await asyncio.sleep(0.2)
        told = await server.member("late").slash("ask", question=QUESTION)
        for member, exchange in begun:
            await (await member.answer_to(exchange)).until("引文", within=20)

    assert told.ephemeral
    assert "1 個問題在排隊" in told.text


async def test_fifty_at_once(answering: Service, tmp_path: Path) -> None:
    crowd = await fifty_at_once(answering, tmp_path, "引文")

    print(
        f"\n50 at once: acknowledged p95 {crowd.acknowledged:.2f} s, all answered in "
        f"{crowd.took:.2f} s, heartbeats at most {crowd.lateness:.2f} s late"
    )
    assert crowd.acknowledged < 1.0
    assert crowd.lateness < 1.0
    assert crowd.pings == 0


# what goes wrong on the way


@pytest.mark.parametrize(
    "fault", [rate_limited(0.3), broken(502), dropped(), dropped(after=True), late(0.4)],
    ids=["429", "502", "cut before", "cut after", "late"],
)  # fmt: skip
@pytest.mark.parametrize("way", ["slash", "mention"])
async def test_an_answer_survives(
    run: Run, server: DiscordServer, alice: Member, fault: Fault, way: str
) -> None:
    async with run():
        if way == "slash":
            server.fail(fault, "PATCH", ORIGINAL)
            answer = await alice.slash("ask", question=QUESTION)
        else:
            server.fail(fault, "POST", SEND)
            answer = await alice.ask(QUESTION)

    assert QUESTION in answer.text


async def test_an_interaction_that_expired_is_answered_in_the_channel(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    server.fail(refused(10062), "POST", CALLBACK)
    async with run():
        alice.begin_slash("ask", question=QUESTION)
        (answer,) = await server.until(lambda: alice.sees() or None)

    assert QUESTION in answer.text
    assert answer.replies_to is None


async def test_a_private_answer_never_goes_to_the_channel(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    server.fail(refused(10062), "POST", CALLBACK)
    async with run():
        alice.begin_slash("ask", question=QUESTION, private=True)
        await asyncio.sleep(1.0)
        await alice.slash("help")

    assert [seen.ephemeral for seen in alice.sees()] == [True]


async def test_an_interaction_that_another_program_took_is_left_to_it(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    server.fail(refused(40060), "POST", CALLBACK)
    async with run():
        alice.begin_slash("ask", question=QUESTION)
        await asyncio.sleep(1.0)

    assert alice.sees() == []


async def test_a_message_deleted_meanwhile_is_not_posted_again(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    slow: Any = Slow(answering, 1.0)
    async with run(slow):
        alice.begin_slash("ask", question=QUESTION)
        (thinking,) = await server.until(lambda: alice.sees() or None)
        server.delete(thinking)
        await asyncio.sleep(2.0)
        still = await alice.slash("help")

    assert [seen.id for seen in alice.sees()] == [still.id]


async def test_a_channel_deleted_meanwhile_costs_nothing_else(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    slow: Any = Slow(answering, 1.0)
    other = server.world.add_channel(server.guild, "短命")
    async with run(slow):
        alice.say(f"<@{server.world.bot['id']}> {QUESTION}", where=other["id"])
        await asyncio.sleep(0.4)
        server.world.delete_channel(other["id"])
        await asyncio.sleep(1.5)
        answer = await alice.slash("ask", question=QUESTION)

    assert QUESTION in answer.text


async def test_without_the_permission_to_write_a_mention_stays_unanswered_and_commands_work(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        server.world.deny(server.home, server.world.bot["id"], SEND_MESSAGES)
        said = alice.say(f"<@{server.world.bot['id']}> {QUESTION}")
        with pytest.raises(NoReply):
            await alice.heard(said, within=1.0)
        answer = await alice.slash("ask", question=QUESTION)

    assert QUESTION in answer.text


async def test_without_the_permission_to_open_threads_the_member_is_told(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        server.world.deny(server.home, server.world.bot["id"], CREATE_PUBLIC_THREADS)
        told = await alice.click(answer, "開討論串")

    assert told.ephemeral
    assert "權限" in told.text


@pytest.mark.parametrize("how", ["drop", "reconnect"])
async def test_a_question_during_a_lost_connection_is_answered_after_it(
    run: Run, server: DiscordServer, alice: Member, how: str
) -> None:
    async with run():
        getattr(server.gateway, how)()
        await server.until(lambda: not server.gateway.connected or None)
        answer = await alice.slash("ask", question=QUESTION)

    assert QUESTION in answer.text
    assert server.gateway.resumed == 1


async def test_an_error_of_ours_is_told_with_a_number_and_logged(
    run: Run, alice: Member, answering: Service, caplog: pytest.LogCaptureFixture
) -> None:
    class Broken(Slow):
        def ask(self, *_: Any, **__: Any) -> Any:
            raise ZeroDivisionError

    broken_service: Any = Broken(answering, 0)
    async with run(broken_service):
        told = await alice.slash("ask", question=QUESTION)

    assert "代號：" in told.text
    assert told.text.split("：")[-1] in caplog.text


async def test_two_shards_are_served_when_the_gateway_asks_for_them(
    answering: Service, tmp_path: Path
) -> None:
    async with DiscordServer(shards=2) as server:
        other = server.world.add_guild("別處")
        server.world.add_channel(other, "大廳")
        async with running_bot(server, answering, tmp_path):
            there = await server.member("bob", guild=other).slash("ask", question=QUESTION)
            here = await server.member("amy").slash("ask", question=QUESTION)

    assert {s.shard for s in server.gateway.sessions} == {(0, 2), (1, 2)}
    assert QUESTION in there.text
    assert QUESTION in here.text
