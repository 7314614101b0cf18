"""Moderating: reindex with progress, rollback, status, who is served, and who may do that."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.access import Rules
from bot.memory import AccessRow
from rag.service import Service
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, opened
from tests.discord_local.world import CATEGORY
from tests.discord_server import DiscordServer, Member, NoReply


@pytest.fixture
def corpus(tmp_path: Path) -> Path:
    folder = tmp_path / "articles"
    folder.mkdir()
    (folder / "tea.md").write_text("# 茶\n\n綠茶要用攝氏八十度的水沖泡。\n", "utf-8")
    (folder / "coffee.md").write_text("# 咖啡\n\n咖啡豆產自衣索比亞。\n", "utf-8")
    return folder


@pytest.fixture
def growing(tmp_path: Path, corpus: Path) -> Iterator[Service]:
    """A Service over a folder of its own, indexed."""
    service = opened(tmp_path / "data", corpus_dir=corpus, support=0.0)
    service.reindex()
    yield service
    service.close()


# reindex


async def test_a_reindex_shows_its_progress_and_reports(
    run: Run, server: DiscordServer, growing: Service, corpus: Path
) -> None:
    (corpus / "tea.md").write_text("# 茶\n\n紅茶要用攝氏九十五度的水沖泡。\n", "utf-8")
    (corpus / "coffee.md").unlink()
    (corpus / "water.md").write_text("# 水\n\n水在攝氏一百度沸騰。\n", "utf-8")
    (corpus / "broken.md").write_bytes(b"\xff\xfe\x00")
    async with run(growing):
        report = await server.moderator().slash("reindex")
        report = await report.until("更新", within=60)
        answer = await server.member("bob").slash("ask", question="水幾度沸騰？")

    assert report.edits >= 2
    for line in ("`+` water\\.md", "`~` tea\\.md", "`−` coffee\\.md"):
        assert line.replace("\\.", ".") in report.text.replace("\\.", ".")
    assert "broken" in report.text
    assert "新增 **1** · 更動 **1** · 移除 **1**" in report.text
    assert "秒" in report.text
    assert "水" in answer.text


async def test_a_dry_run_changes_nothing(
    run: Run, server: DiscordServer, growing: Service, corpus: Path
) -> None:
    (corpus / "water.md").write_text("# 水\n\n水在攝氏一百度沸騰。\n", "utf-8")
    before = growing.status().generation
    async with run(growing):
        report = await server.moderator().slash("reindex", dry_run=True)
        await report.until("試跑", within=60)

    assert "新增 **1**" in report.text
    assert growing.status().generation == before


async def test_a_reindex_is_cancelled_by_a_moderator_only(
    run: Run, server: DiscordServer, alice: Member, growing: Service, corpus: Path
) -> None:
    before = growing.status().generation
    long = "\n\n".join(f"第 {n} 批茶葉要放 {n} 天才能喝。" * 20 for n in range(600))
    (corpus / "long.md").write_text(f"# 久放的茶\n\n{long}\n", "utf-8")  # outlasts the clicks
    mod = server.moderator()
    async with run(growing):
        report = await mod.slash("reindex", full=True)
        refused = await alice.click(report, "取消")
        busy = await server.moderator("mod2").slash("reindex")
        mod.begin_click(report, "取消")
        await report.until("取消，索引維持原樣", within=30)

    assert refused.ephemeral
    assert "只有管理員" in refused.text
    assert "正在重建" in busy.text
    assert growing.status().generation == before


async def test_a_report_that_outlives_its_token_is_posted_to_the_channel(
    run: Run, server: DiscordServer, growing: Service
) -> None:
    mod = server.moderator()
    async with run(growing):
        started = await mod.slash("reindex", full=True)
        server.clock.advance(16 * 60)

        def posted() -> Any:
            others = [seen for seen in mod.sees() if seen.id != started.id]
            return next((seen for seen in others if "索引已更新" in seen.text), None)

        report = await server.until(posted, 60)

    assert "索引已更新" in report.text
    assert "索引已更新" not in started.text


async def test_the_old_index_answers_while_a_new_one_is_built(
    run: Run, server: DiscordServer, growing: Service
) -> None:
    mod, bob = server.moderator(), server.member("bob")
    async with run(growing):
        report = await mod.slash("reindex", full=True)
        answers = []
        while "更新" not in report.text:
            answers.append((await bob.slash("ask", question="綠茶要用幾度的水？")).text)
        assert answers

    assert all("八十度" in answer for answer in answers)


# rollback and status


async def test_a_rollback_serves_the_generation_before(
    run: Run, server: DiscordServer, growing: Service, corpus: Path
) -> None:
    before = growing.status().generation
    (corpus / "water.md").write_text("# 水\n\n水在攝氏一百度沸騰。\n", "utf-8")
    growing.reindex()
    async with run(growing):
        done = await server.moderator().slash("rollback")
        none_left = await server.moderator("mod2").slash("rollback")

    assert str(before) in done.text
    assert growing.status().generation == before
    assert "沒有更早的版本" in none_left.text


async def test_a_rollback_does_not_wait_behind_a_reindex_to_undo_it(
    run: Run, server: DiscordServer, growing: Service
) -> None:
    async with run(growing):
        report = await server.moderator().slash("reindex", full=True)
        told = await server.moderator("mod2").slash("rollback")
        await report.until("索引已更新", within=60)

    assert told.ephemeral
    assert "正在重建" in told.text


async def test_status_tells_the_index_and_the_process(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    async with run():
        await alice.slash("ask", question=QUESTION)
        told = await server.moderator().slash("status")

    assert told.ephemeral
    assert "p50" in told.text
    assert "MB" in told.text
    assert "索引版本" in told.text
    assert re.search(r"建立時間：\*\* <t:\d{10}:f>", told.text)


# who may moderate

MODERATING = ("reindex", "rollback", "status", "access")


@pytest.mark.parametrize("command", MODERATING)
async def test_a_member_who_is_shown_the_command_is_refused_all_the_same(
    run: Run, alice: Member, command: str
) -> None:
    async with run():
        with pytest.raises(AssertionError, match="hidden"):
            await alice.slash(command)
        told = await alice.slash(command, force=True)

    assert told.ephemeral
    assert "只有管理員" in told.text


async def test_a_configured_role_may_moderate(run: Run, server: DiscordServer) -> None:
    helper = server.member("helper", permissions=1)
    role = server.guild["roles"][-1]["id"]
    async with run(moderator_roles=role):
        told = await helper.slash("status")

        assert "索引版本" in told.text
        refused = await server.member("bob").slash("status")
    assert "只有管理員" in refused.text


# allow and deny

C, CATEGORY_ID, THREAD, R, R2 = 1, 2, 3, 10, 11
PLACE = (C, CATEGORY_ID)


@pytest.mark.parametrize(
    ("rules", "place", "roles", "served"),
    [
        (Rules(), PLACE, (), True),
        (Rules(deny_channels=frozenset({C})), PLACE, (), False),
        (Rules(deny_channels=frozenset({CATEGORY_ID})), PLACE, (), False),
        (Rules(deny_channels=frozenset({C})), (THREAD, C, CATEGORY_ID), (), False),
        (Rules(deny_channels=frozenset({99})), PLACE, (), True),
        (Rules(allow_channels=frozenset({C})), PLACE, (), True),
        (Rules(allow_channels=frozenset({CATEGORY_ID})), (THREAD, C, CATEGORY_ID), (), True),
        (Rules(allow_channels=frozenset({99})), PLACE, (), False),
        (Rules(frozenset({CATEGORY_ID}), frozenset({C})), PLACE, (), False),
        (Rules(deny_roles=frozenset({R})), PLACE, (R, R2), False),
        (Rules(allow_roles=frozenset({R})), PLACE, (R2,), False),
        (Rules(allow_roles=frozenset({R})), PLACE, (R, R2), True),
        (Rules(frozenset({C}), allow_roles=frozenset({R})), PLACE, (), False),
        (Rules(allow_roles=frozenset({R}), deny_roles=frozenset({R2})), PLACE, (R, R2), False),
        (Rules().with_rows([AccessRow(5, "channel", C, "deny")]), PLACE, (), False),
        (Rules().with_rows([AccessRow(5, "role", R, "allow")]), PLACE, (R,), True),
    ],
)
def test_who_is_served_where(
    rules: Rules, place: tuple[int, ...], roles: tuple[int, ...], served: bool
) -> None:
    assert rules.allow(place, roles) is served


async def test_a_denied_channel_is_refused_until_it_is_cleared(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    mod = server.moderator()
    alice.timeout = 1.0
    async with run():
        shown = await mod.slash("access", rule="deny", channel=server.home["id"])
        refused = await alice.slash("ask", question=QUESTION)
        with pytest.raises(NoReply):
            await alice.ask(QUESTION)
    async with run():
        still = await alice.slash("search", query="思維鏈")
        await mod.slash("access", rule="clear", channel=server.home["id"])
        alice.timeout = 10.0
        answer = await alice.slash("ask", question=QUESTION)

    assert f"<#{server.home['id']}>" in shown.text
    assert refused.ephemeral
    assert "不開放" in refused.text
    assert "不開放" in still.text
    assert QUESTION in answer.text
    assert server.pings == 0


async def test_an_allowed_category_serves_its_channels_and_no_others(
    run: Run, server: DiscordServer, alice: Member
) -> None:
    category = server.world.add_channel(server.guild, "學習", kind=CATEGORY)
    inside = server.world.add_channel(server.guild, "讀書", parent=category["id"])
    async with run(allow_channels=category["id"]):
        answer = await alice.slash("ask", question=QUESTION, where=inside["id"])
        refused = await alice.slash("ask", question=QUESTION)

    assert QUESTION in answer.text
    assert "不開放" in refused.text


async def test_roles_are_allowed_and_denied(run: Run, server: DiscordServer) -> None:
    reader, bob = server.member("reader", permissions=1), server.member("bob")
    role = server.guild["roles"][-1]["id"]
    mod = server.moderator()
    async with run():
        await mod.slash("access", rule="allow", role=role)
        answer = await reader.slash("ask", question=QUESTION)
        refused = await bob.slash("ask", question=QUESTION)

    assert QUESTION in answer.text
    assert "不開放" in refused.text


# the first index


async def test_without_an_index_one_is_built_and_the_question_waits_for_it(
    run: Run, alice: Member, tmp_path: Path, corpus: Path
) -> None:
    service = opened(tmp_path / "fresh", corpus_dir=corpus, support=0.0)
    async with run(service):
        note = await alice.slash("ask", question="綠茶要用幾度的水？")
        told = note.text
        answer = await note.until("八十度", within=60)
    service.close()

    assert "正在建立" in told
    assert answer.id == note.id


async def test_without_articles_the_asker_is_told(run: Run, alice: Member, tmp_path: Path) -> None:
    service = opened(tmp_path / "fresh", corpus_dir=tmp_path / "nowhere")
    async with run(service):
        told = await alice.slash("ask", question=QUESTION)
        await told.until("YOUJU_CORPUS_DIR", within=60)
    service.close()

    assert str(tmp_path) not in told.text
    await asyncio.sleep(0)
