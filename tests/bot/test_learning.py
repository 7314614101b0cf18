"""Gaps and judged answers in Discord: clusters, marks, golden questions, and who may see them."""

import asyncio
import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.memory import Memory
from rag.service import Service
from rag.settings import DEFAULT_CORPUS
from tests.bot.conftest import Run
from tests.bot.gap_rows import asked, direction, many
from tests.bot.running import QUESTION, opened
from tests.bot.test_safety import HOSTILE, assert_harmless, hostile
from tests.discord_server import DiscordServer, Member, Modal, Seen

HANT, HANS, OTHER = "這個節目多久錄一集？", "这个节目多久录一集？", "台中哪裡有好吃的滷肉飯？"


@pytest.fixture
def own(tmp_path: Path, data_dir: Path) -> Iterator[Service]:
    """A Service that answers all, over articles that a golden question can be written beside."""
    corpus = tmp_path / "own" / "articles"
    shutil.copytree(DEFAULT_CORPUS, corpus)
    shutil.copytree(data_dir, tmp_path / "owndata")
    service = opened(tmp_path / "owndata", corpus_dir=corpus, support=0.0)
    yield service
    service.close()


async def gaps(mod: Member, told: str, **options: str) -> Seen:
    """`/gaps` once it tells something: a question is noted after its answer was shown."""
    for _ in range(100):
        shown = await mod.slash("gaps", **options)
        if told in shown.text:
            return shown
        await asyncio.sleep(0.1)
    raise AssertionError(f"{told!r} is not in {shown.text}")


def golden(service: Service) -> list[dict[str, object]]:
    path = service.settings.corpus_dir / "golden.jsonl"
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


async def test_one_question_in_both_scripts_is_one_gap(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    bob, mod = server.member("bob", locale="zh-CN"), server.moderator()
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        await bob.slash("ask", question=HANS)
        await alice.slash("ask", question=OTHER)
        shown = await gaps(mod, "（2 個）")

    assert shown.ephemeral
    assert "問了 2 次，2 人" in shown.text
    assert shown.text.index(HANS) < shown.text.index(OTHER)
    assert "alice" not in shown.text
    assert "最接近的段落：" in shown.text


async def test_a_gap_is_marked_answered_and_opens_when_it_is_asked_again(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    mod = server.moderator()
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        marked = await mod.click(await gaps(mod, HANT), "已補上")
        after = marked.text
        answered = (await mod.slash("gaps", state="answered")).text
        await alice.slash("ask", question=HANS)
        again = (await gaps(mod, HANS)).text

    assert "已標為：已補上" in after
    assert "這裡沒有問題" in after
    assert HANT in answered
    assert HANS in again
    assert "問了 2 次，1 人" in again


async def test_an_ignored_gap_stays_ignored(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    mod = server.moderator()
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        await mod.click(await gaps(mod, HANT), "不處理")
        await alice.slash("ask", question=HANS)
        ignored = await gaps(mod, "2 次", state="ignored")
        still = (await mod.slash("gaps")).text
        reopened = await mod.click(ignored, "重新打開")

    assert "這裡沒有問題" in still
    assert "已標為：待處理" in reopened.text


async def test_two_moderators_may_mark_the_same_gap(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    one, two = server.moderator("one"), server.moderator("two")
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        first, second = await gaps(one, HANT), await gaps(two, HANT)
        both = [one.begin_click(first, "已補上"), two.begin_click(second, "不處理")]
        shown = [await who.answer_to(act) for who, act in zip((one, two), both, strict=True)]
        left = await one.slash("gaps")

    assert all("已標為" in seen.text for seen in shown)
    assert "這裡沒有問題" in left.text


async def test_a_forgotten_question_is_gone_from_the_gaps(
    run: Run, server: DiscordServer, alice: Member, refusing: Service, tmp_path: Path
) -> None:
    mod = server.moderator()
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        old = await gaps(mod, HANT)
        await alice.click(await alice.slash("forget"), "全部刪除")
        gone = await mod.click(old, "已補上")
        empty = (await mod.slash("gaps", state="all")).text

    assert "已經不在了" in gone.text
    assert "這裡沒有問題" in empty
    database = sqlite3.connect(tmp_path / "discord.sqlite")
    left = [database.execute(f"SELECT count(*) FROM {t}").fetchone() for t in ("gaps", "clusters")]
    database.close()
    assert left == [(0,), (0,)]
    assert HANT.encode() not in (tmp_path / "discord.sqlite").read_bytes()


@pytest.mark.parametrize("command", ["gaps", "feedback"])
async def test_only_moderators_learn(
    run: Run, alice: Member, answering: Service, command: str
) -> None:
    async with run(answering):
        told = await alice.slash(command, force=True)

    assert "只有管理員" in told.text
    assert told.ephemeral


async def test_buttons_ask_for_the_permission_again(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    mod = server.moderator()
    async with run(refusing):
        answer = await alice.slash("ask", question=HANT)
        await alice.click(answer, "有幫助")
        listed, feedback = await gaps(mod, HANT), await mod.slash("feedback")
        for role in list(server.guild["roles"]):
            if role["name"] == "mod":
                role["permissions"] = "0"
        told = [
            await mod.click(listed, "已補上"),
            await mod.click(feedback, "應該婉拒"),
            await mod.click(feedback, "設為基準題"),
        ]

    assert all("只有管理員" in seen.text for seen in told)


async def test_another_servers_questions_are_not_shown(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    guild = server.world.add_guild("別處")
    server.world.add_channel(guild, "閒聊")
    other = server.member("other", guild=guild, permissions=0x20)
    async with run(refusing):
        await alice.slash("ask", question=HANT)
        await alice.dm(OTHER)
        here = (await gaps(server.moderator(), HANT)).text
        there = (await other.slash("gaps")).text

    assert "這裡沒有問題" in there
    assert HANT in here
    assert OTHER not in here


async def test_pages_are_turned_and_a_mark_stays_on_its_page(
    run: Run, server: DiscordServer
) -> None:
    mod = server.moderator()
    async with run() as client:
        memory, guild = client.desk.memory, int(server.guild["id"])
        for number in range(7):
            at, vector = time.time() + number, direction(number)
            await client.desk.remember(asked, memory, f"第{number}題", vector, guild=guild, at=at)
        first = await mod.slash("gaps")
        before = first.text
        second = await mod.click(first, "下一頁")
        after = second.text
        marked = await mod.click(second, "已補上", nth=0)

    assert all(f"第{number}題" in before for number in (6, 5, 4, 3, 2))
    assert all(f"第{number}題" in after for number in (1, 0))
    assert "（6 個）" in marked.text
    assert "第0題" in marked.text
    assert "第1題" not in marked.text


async def test_an_unhelpful_answer_is_a_gap_and_its_reason_is_shown(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    mod = server.moderator()
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        before = (await mod.slash("gaps")).text
        modal = await alice.click_modal(answer, "沒幫助")
        await alice.submit(modal, kind="wrong", why="他說的是另一個人 @everyone")
        listed = await gaps(mod, QUESTION)
        feedback = await mod.slash("feedback", which="unhelpful")

    assert QUESTION not in before
    assert "覺得沒幫助 1" in listed.text
    assert "答案不對" in feedback.text
    assert "他說的是另一個人" in feedback.text
    assert "@everyone" not in feedback.text
    assert "設為基準題" not in [str(button) for button in feedback.buttons]


async def test_a_helpful_answer_becomes_a_golden_question_once(
    run: Run, server: DiscordServer, alice: Member, own: Service
) -> None:
    mod = server.moderator()
    async with run(own):
        answer = await alice.slash("ask", question=QUESTION)
        await alice.click(answer, "有幫助")
        feedback = await mod.slash("feedback")
        made = await mod.click(feedback, "設為基準題")
        again = await mod.click(feedback, "設為基準題")

    rows = golden(own)
    assert "✅ 基準題" in made.text
    assert made.ephemeral
    assert "已經是基準題了" in again.text
    assert len(rows) == 1
    assert rows[0]["question"] == QUESTION
    assert "莫斯科" in "".join(rows[0]["gold_quotes"])  # type: ignore[arg-type]
    assert rows[0]["article"] == "izmailov-three-labs"
    assert own.examine(rows).scores["correct"] == 1.0


async def test_a_wrong_answer_needs_the_right_sentence_or_a_refusal(
    run: Run, server: DiscordServer, alice: Member, own: Service
) -> None:
    mod = server.moderator()
    async with run(own):
        for question in (QUESTION, OTHER):
            answer = await alice.slash("ask", question=question)
            modal = await alice.click_modal(answer, "沒幫助")
            await alice.submit(modal, kind="wrong", why="")
        feedback = await mod.slash("feedback")
        form = await mod.click_modal(feedback, "填正確的句子", nth=1)
        assert isinstance(form, Modal)
        nowhere = await mod.submit(form, quote="文章裡沒有這一句")
        form = await mod.click_modal(feedback, "填正確的句子", nth=1)
        made = await mod.submit(form, quote="Sandbagging 指的是 AI 受評估時刻意放水")
        refused = await mod.click(feedback, "應該婉拒", nth=0)

    assert "沒有任何段落有這句話" in nowhere.text
    assert "✅" in made.text
    assert "應該婉拒" in refused.text
    assert {row["question"]: row["article"] for row in golden(own)} == {
        QUESTION: "izmailov-three-labs", OTHER: "none"
    }  # fmt: skip


@pytest.mark.parametrize("case", HOSTILE)
async def test_hostile_questions_are_harmless_in_gaps_and_feedback(
    run: Run, server: DiscordServer, alice: Member, refusing: Service, case: str
) -> None:
    question = hostile(HOSTILE[case], server, server.member("victim"))
    mod = server.moderator()
    async with run(refusing):
        answer = await alice.slash("ask", question=question)
        await alice.click(answer, "有幫助")
        assert_harmless(await gaps(mod, "Izmailov"))
        assert_harmless(await mod.slash("feedback"))

    assert server.pings == 0


async def test_the_longest_questions_fit_on_a_page(
    run: Run, server: DiscordServer, alice: Member, refusing: Service
) -> None:
    mod = server.moderator()
    async with run(refusing):
        for subject in ("茶", "山", "琴", "稅"):
            answer = await alice.slash("ask", question=f"{subject}*_[`" * 100)
            await alice.click(answer, "有幫助")
        listed, feedback = await gaps(mod, "1 次"), await mod.slash("feedback")

    assert "1 / 2" in [str(button) for button in feedback.buttons]
    assert listed.buttons


async def test_where_nothing_was_judged_or_asked_in_vain_the_lists_say_so(
    run: Run, server: DiscordServer
) -> None:
    mod = server.moderator()
    async with run():
        told = [(await mod.slash("gaps")).text, (await mod.slash("feedback")).text]

    assert "這裡沒有問題" in told[0]
    assert "這裡沒有評價" in told[1]


async def test_a_question_that_cannot_be_noted_is_answered_all_the_same(
    run: Run, alice: Member, refusing: Service, monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:  # fmt: skip
    def full(*_: object) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    async with run(refusing) as client:
        monkeypatch.setattr(client.desk.memory.gaps, "note", full)
        answer = await alice.slash("ask", question=HANT)
        while client.asking.under_way:  # noqa: ASYNC110 - it is over in a moment
            await asyncio.sleep(0.05)

    assert "文章裡沒有" in answer.text
    assert "could not be noted" in caplog.text


@pytest.mark.parametrize(
    ("locale", "word", "forms", "passages"),
    [
        ("zh-TW", "強化學習", "強化學習 · RL", "出現在這些段落"),
        ("zh-CN", "强化学习", "强化学习 · RL", "出现在这些段落"),
        ("en-US", "reinforcement learning", "RL", "Where it occurs"),
    ],
)
async def test_members_look_a_word_up_in_their_script(
    run: Run, server: DiscordServer, locale: str, word: str, forms: str, passages: str
) -> None:
    member = server.member("reader", locale=locale)
    async with run():
        shown = await member.slash("term", word=word)
        unknown = await member.slash("term", word="@everyone [x](https://evil.example) 滷肉飯")

    assert shown.ephemeral
    assert forms in shown.text
    assert passages in shown.text
    assert_harmless(unknown)


# the memory


def test_questions_grow_old_and_take_their_cluster_along(tmp_path: Path) -> None:
    memory = Memory(tmp_path, 1)
    try:
        asked(memory, "old", at=time.time() - 2 * 86400)
        assert len(memory.gaps.listed()) == 1
        removed = memory.expire()

        assert removed == 1
        assert memory.gaps.listed() == []
        assert memory._do("SELECT count(*) FROM clusters") == [(0,)]
    finally:
        memory.close()


def test_ten_thousand_questions_are_listed_quickly(tmp_path: Path) -> None:
    memory = Memory(tmp_path, 90)
    try:
        many(memory, 10_000, clusters=2_500)
        began = time.process_time()
        listed = memory.gaps.listed("open", 1)
        took = time.process_time() - began

        assert len(listed) == 2_500
        assert sum(gap.count for gap in listed) == 10_000
        assert took < 3
    finally:
        memory.close()


def test_questions_of_another_model_are_taken_up_anew(tmp_path: Path) -> None:
    memory = Memory(tmp_path, 90)
    try:
        first = asked(memory, "甲", direction(0), model="old")
        gaps = memory.gaps
        assert [row[1] for row in gaps.outdated("new")] == ["甲"]
        gaps.renew([(first, direction(0))], "new")
        asked(memory, "乙", direction(0), model="new")

        assert gaps.outdated("new") == []
        assert [gap.count for gap in gaps.listed()] == [2]
    finally:
        memory.close()


def test_a_damaged_memory_is_set_aside_and_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / "discord.sqlite").write_bytes(b"no database at all" * 400)

    memory = Memory(tmp_path, 90)
    try:
        assert memory.gaps.listed() == []
    finally:
        memory.close()
    assert "is damaged" in caplog.text
    assert (tmp_path / "discord.sqlite.damaged").read_bytes().startswith(b"no database")
