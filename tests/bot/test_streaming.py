"""An answer that a model writes is watched: drafts at a bearable pace, then the checked answer."""

import asyncio
import re
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import drafting
from bot.draft import draft_card
from bot.sentence_ends import whole_sentences
from bot.texts import LANGUAGES, sentences, why_degraded
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, QUESTION_HANS, fifty_at_once
from tests.bot.writer import SENTENCES, Writer
from tests.conftest import ROOT
from tests.discord_local.limits import message_problems
from tests.discord_local.pings import mentionable_text
from tests.discord_server import (
    DiscordServer,
    Fault,
    Member,
    Seen,
    broken,
    dropped,
    late,
    rate_limited,
)

ORIGINAL = "*/messages/@original"
PACE, BETWEEN, SILENCE = 0.3, drafting._BETWEEN, drafting._SILENCE
DRAFT, WRITING = "草稿：", "正在讀段落"


@pytest.fixture(autouse=True)
def swift(monkeypatch: pytest.MonkeyPatch) -> None:
    """Edits come at a quarter of their distance, so that the tests do not take minutes."""
    monkeypatch.setattr(drafting, "_BETWEEN", PACE)
    monkeypatch.setattr(drafting, "_SILENCE", SILENCE / 4)


def states(seen: Seen) -> list[str]:
    """What a message has shown, one state after the other."""
    shown = [*seen.message.history, seen.payload]
    return ["\n".join(_texts(payload)) for payload in shown]


def _texts(payload: dict[str, Any]) -> list[str]:
    return list(mentionable_text(payload))


def labels(seen: Seen) -> list[str]:
    return [button.label for button in seen.buttons]


def as_service(writer: Writer) -> Any:
    return writer


# the way of a draft


@pytest.mark.parametrize("way", ["slash", "private", "mention", "direct", "thread"])
async def test_drafts_are_seen_to_be_drafts_and_the_checked_answer_takes_their_place(
    run: Run, server: DiscordServer, alice: Member, answering: Service, way: str
) -> None:
    async with run(as_service(Writer(answering, pace=PACE + 0.1))):
        match way:
            case "slash" | "private":
                seen = await alice.slash("ask", question=QUESTION, private=way == "private")
            case "mention":
                seen = await alice.ask(QUESTION)
            case "direct":
                seen = await alice.dm(QUESTION)
            case _:
                first = await (await alice.slash("ask", question=QUESTION)).until("逐字核對")
                await alice.click(first, "開討論串")
                seen = await alice.ask("那他研究什麼？", where=first.id)
        assert DRAFT in seen.text or WRITING in seen.text
        assert labels(seen) == ["停下"]
        await seen.until("逐字核對", within=60)

    shown = states(seen)
    drafts = [text for text in shown if DRAFT in text]
    assert drafts
    assert all(any(sentence in draft for sentence in SENTENCES) for draft in drafts)
    assert all("逐字核對" not in draft and "> " not in draft for draft in drafts)
    assert DRAFT not in shown[-1]
    assert "scripted" in shown[-1]
    assert "停下" not in labels(seen)
    assert seen.ephemeral == (way == "private")
    assert server.pings == 0


async def test_two_edits_of_a_reply_are_never_nearer_than_the_pace(
    run: Run, server: DiscordServer, alice: Member, answering: Service,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setattr(drafting, "_BETWEEN", BETWEEN)
    drafts = ["字" * n + "。" for n in range(1, 60)]
    async with run(as_service(Writer(answering, drafts, pace=0.05))):
        times = _timed(server)
        seen = await alice.slash("ask", question=QUESTION)
        await seen.until("逐字核對", within=60)

    gaps = [after - before for before, after in pairwise(times)]
    assert len(times) >= 3
    assert min(gaps) >= 1.2


def _timed(server: DiscordServer) -> list[float]:
    """The moments at which edits of an interaction's reply arrive, as they come."""
    times: list[float] = []
    edit = server.messages.edit

    def timed(*args: Any) -> Any:
        times.append(time.monotonic())
        return edit(*args)

    server.messages.edit = timed  # type: ignore[method-assign]
    return times


async def test_while_nothing_stands_yet_a_reader_is_told_that_it_is_written(
    run: Run, alice: Member, answering: Service
) -> None:
    async with run(as_service(Writer(answering, pace=1.0))):
        seen = await alice.slash("ask", question=QUESTION)
        at_first = seen.text
        await seen.until("逐字核對", within=60)

    assert WRITING in at_first


async def test_half_a_sentence_is_never_shown(run: Run, alice: Member, answering: Service) -> None:
    drafts = ["甲。乙不", "甲。乙不是", *["甲。乙不是丙。丁"] * 3]
    async with run(as_service(Writer(answering, drafts, pace=PACE + 0.1))):
        seen = await alice.slash("ask", question=QUESTION)
        await seen.until("逐字核對", within=60)

    shown = "\n".join(states(seen))
    assert "甲。乙不是丙。\n" in shown + "\n"
    assert "丁" not in shown
    assert "乙不\n" not in shown


async def test_without_a_model_there_is_no_draft(run: Run, alice: Member) -> None:
    async with run():
        seen = await alice.slash("ask", question=QUESTION)

    assert seen.edits == 1


async def test_the_words_around_a_draft_are_in_the_askers_language(
    run: Run, server: DiscordServer, answering: Service
) -> None:
    hong = server.member("hong", locale="zh-TW")
    amy = server.member("amy", locale="en-US")
    async with run(as_service(Writer(answering, ["一。"] * 10))):
        hans = await hong.slash("ask", question=QUESTION_HANS)
        english = await amy.slash("ask", question="Where did Izmailov grow up?")
        told = (await hans.until("草稿")).text, (await english.until("Draft")).text
        await hans.until("逐字核对", within=60)
        await english.until("checked", within=60)

    assert "草稿：还在写" in told[0]
    assert "still being written" in told[1]


# the stop button


async def test_the_asker_may_stop_the_writing_and_nobody_else(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    writer = Writer(answering, ["一。"] * 120, pace=0.2)
    async with run(as_service(writer)):
        seen = await alice.slash("ask", question=QUESTION)
        told = await server.member("bob").click(seen, "停下")
        untouched = list(writer.stopped)
        alice.begin_click(seen, "停下")
        await seen.until("逐字核對", within=60)

    assert "只有提問的人" in told.text
    assert untouched == []
    assert writer.stopped == [QUESTION]
    assert "語言模型的回答被停下" in seen.text
    assert "> " in seen.text
    assert "重新回答" in labels(seen)


async def test_a_bot_that_is_told_to_end_shows_what_stands(
    run: Run, alice: Member, answering: Service
) -> None:
    writer = Writer(answering, ["一。"] * 100, pace=0.3)
    async with run(as_service(writer)) as client:
        seen = await alice.slash("ask", question=QUESTION)
        await client.farewell()

    assert writer.stopped == [QUESTION]
    assert "語言模型的回答被停下" in seen.text


# asking again


async def test_a_model_asked_again_writes_into_the_same_message(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    async with run(as_service(Writer(answering, pace=0.1))):
        seen = await alice.slash("ask", question=QUESTION)
        await seen.until("scripted", within=60)
        before = seen.edits
        refused_ = await server.member("bob").click(seen, "重新回答")
        alice.begin_click(seen, "重新回答")
        await seen.until(DRAFT, within=60)
        stop = labels(seen)
        await seen.until("scripted", within=60)

    assert "只有提問的人" in refused_.text
    assert stop == ["停下"]
    assert seen.edits > before + 1
    assert "重新回答" in labels(seen)
    assert len(alice.sees()) == 1


async def test_an_answer_comes_back_when_asking_again_fails(
    run: Run, alice: Member, answering: Service
) -> None:
    class Once(Writer):
        def ask(self, question: str, **given: Any) -> Any:
            if self.begun:
                raise ZeroDivisionError
            return super().ask(question, **given)

    async with run(as_service(Once(answering, pace=0.1))):
        seen = await alice.slash("ask", question=QUESTION)
        await seen.until("scripted", within=60)
        told = await alice.click(seen, "重新回答")
        await seen.until("scripted", within=60)

    assert "代號" in told.text or told.id == seen.id
    assert "逐字核對" in seen.text


# what goes wrong on the way


@pytest.mark.parametrize(
    "fault", [rate_limited(1.0), broken(502), dropped(), late(1.0)],
    ids=["429", "502", "cut", "late"],
)  # fmt: skip
@pytest.mark.parametrize("way", ["slash", "mention"])
async def test_an_edit_that_fails_or_is_slow_never_loses_the_answer(
    run: Run, server: DiscordServer, alice: Member, answering: Service, fault: Fault, way: str
) -> None:
    async with run(as_service(Writer(answering, pace=0.2))):
        server.fail(fault, "PATCH", ORIGINAL if way == "slash" else "/channels/*/messages/*")
        if way == "slash":
            seen = await alice.slash("ask", question=QUESTION)
        else:
            seen = await alice.ask(QUESTION)
        await seen.until("逐字核對", within=60)
        faults = server.faults.served

    assert faults == 1
    assert DRAFT not in seen.text
    assert len([s for s in alice.sees() if "scripted" in s.text]) == 1


async def test_drafts_that_came_during_a_slow_edit_are_left_out(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    drafts = [f"{n}號。" for n in range(1, 31)]
    async with run(as_service(Writer(answering, drafts, pace=0.05))):
        server.fail(rate_limited(1.3), "PATCH", ORIGINAL)
        seen = await alice.slash("ask", question=QUESTION)
        await seen.until("逐字核對", within=60)

    assert len([text for text in states(seen) if DRAFT in text]) <= 2


async def test_an_expired_interaction_has_its_draft_replaced_in_the_channel(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    async with run(as_service(Writer(answering, pace=PACE + 0.1))):
        seen = await alice.slash("ask", question=QUESTION)
        server.clock.advance(16 * 60)
        await seen.until("逐字核對", within=60)

    assert [s.id for s in alice.sees()] == [seen.id]
    assert DRAFT not in seen.text


async def test_a_private_draft_that_expired_never_goes_to_the_channel(
    run: Run, server: DiscordServer, alice: Member, answering: Service
) -> None:
    async with run(as_service(Writer(answering, pace=0.2))):
        seen = await alice.slash("ask", question=QUESTION, private=True)
        server.clock.advance(16 * 60)
        await asyncio.sleep(2.0)
        await alice.slash("help")

    assert all(s.ephemeral for s in alice.sees())
    assert seen.ephemeral


@pytest.mark.parametrize("way", ["slash", "mention"])
async def test_a_draft_that_is_deleted_ends_the_writing_and_is_not_posted_again(
    run: Run, server: DiscordServer, alice: Member, answering: Service, way: str
) -> None:
    writer = Writer(answering, [f"{n}號。" for n in range(1, 200)], pace=0.2)
    async with run(as_service(writer)):
        seen = await (
            alice.slash("ask", question=QUESTION) if way == "slash" else alice.ask(QUESTION)
        )
        server.delete(seen)
        async with asyncio.timeout(10):
            while not writer.stopped:  # noqa: ASYNC110 - another thread appends to it
                await asyncio.sleep(0.05)
        await alice.slash("help")

    assert not [s for s in alice.sees() if "號。" in s.text or "逐字核對" in s.text]


async def test_fifty_drafts_at_once_miss_no_heartbeat(answering: Service, tmp_path: Path) -> None:
    writer = as_service(Writer(answering, pace=0.3))

    crowd = await fifty_at_once(writer, tmp_path, "逐字核對", workers=10)

    drafts = sum(DRAFT in text for one in crowd.seen for text in states(one))
    print(
        f"\n50 drafted at once: {drafts} drafts shown, acknowledged p95 "
        f"{crowd.acknowledged:.2f} s, all answered in {crowd.took:.2f} s, "
        f"heartbeats at most {crowd.lateness:.2f} s late"
    )
    assert drafts >= 25
    assert crowd.acknowledged < 3.0
    assert crowd.lateness < 5.0  # Discord waits for 41 s
    assert crowd.pings == 0


# the card


@settings(max_examples=60, deadline=None)
@given(st.text(alphabet="甲。！*_[]()`<>@\n a😀」#-1", max_size=6000))
def test_any_draft_fits_into_one_message(written: str) -> None:
    async def build() -> list[Any]:
        return draft_card(written, "問" * 2000, "zh-TW", "0123456789ab").to_components()

    body = {"components": asyncio.run(build()), "flags": 1 << 15}
    assert list(message_problems(body, edit=False)) == []


@pytest.mark.parametrize("written", ["句子。" * 3_000, "*_[" * 3_000 + "。", "😀。" * 2_000])
def test_a_draft_that_is_too_long_shows_its_beginning(written: str) -> None:
    async def build() -> list[Any]:
        return draft_card(written, QUESTION, "en", "k").to_components()

    body = {"components": asyncio.run(build()), "flags": 1 << 15}
    assert list(message_problems(body, edit=False)) == []
    assert "…" in str(body)


@pytest.mark.parametrize(
    ("written", "whole"),
    [
        ("", ""),
        ("一二三", ""),
        ("一。二", "一。"),
        ("「一。」二", "「一。」"),
        ("一！二？」三", "一！二？」"),
        ("一\n二", "一"),
        ("一3.5", ""),
    ],
)
def test_whole_sentences_end_where_sentences_do(written: str, whole: str) -> None:
    assert whole_sentences(written) == whole


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_documented_reason_has_a_sentence_of_its_own(language: str) -> None:
    told = {reason: why_degraded(reason, language) for reason in _documented()}

    assert len(told) >= 18
    assert len(set(told.values())) == len(told)
    assert sentences(language)["answer.degraded"] not in told.values()
    assert why_degraded("never heard of", language) == sentences(language)["answer.degraded"]


def _documented() -> set[str]:
    """The words of the table in docs/LLM.md."""
    page = (ROOT / "docs" / "LLM.md").read_text("utf-8")
    table = page[page.index("| `degraded` |") :].split("\n\n")[0]
    cells = [row.split("|")[1] for row in table.splitlines()[2:]]
    return {word for cell in cells for word in re.findall(r"`(\w+)`", cell)}
