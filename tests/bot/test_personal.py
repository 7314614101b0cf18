"""What people decide for themselves, and what is stored about them."""

import sqlite3
import stat
import time
from pathlib import Path

from bot.memory import Memory
from tests.bot.conftest import Run
from tests.bot.running import QUESTION, QUESTION_HANS
from tests.discord_server import DiscordServer, Member


async def test_a_script_is_chosen_by_button_and_kept(run: Run, alice: Member) -> None:
    async with run():
        card = await alice.slash("settings")
        chosen = await alice.click(card, "简体")
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        back = await alice.slash("settings", variant="auto")
        again = await alice.slash("ask", question=QUESTION)

    assert card.ephemeral
    assert chosen.id == card.id
    assert "**简体**" in chosen.text
    assert "逐字核对" in answer.text
    assert "跟著問題" in back.text
    assert "逐字核對" in again.text


async def test_forget_erases_all_of_a_person_and_nothing_of_others(
    run: Run, server: DiscordServer, alice: Member, tmp_path: Path
) -> None:
    bob = server.member("bob")
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        await alice.slash("settings", variant="hant")
        other = await bob.slash("ask", question=QUESTION_HANS)
        await alice.click(other, "有帮助")
        asked = await alice.slash("forget")
        done = await alice.click(asked, "全部刪除")
        gone = await alice.click(answer, "简")
        still = await bob.click(other, "繁")

    assert asked.ephemeral
    assert done.text == "都刪除了。"
    assert "已經刪除" in gone.text
    assert still.id == other.id
    database = sqlite3.connect(tmp_path / "discord.sqlite")
    counts = {
        table: database.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
        for table in ("answers", "people", "feedback")
    }
    database.close()
    assert counts == {"answers": 1, "people": 0, "feedback": 0}
    assert QUESTION.encode() not in (tmp_path / "discord.sqlite").read_bytes()


def stored_in(folder: Path) -> bytes:
    """Every byte of the database; its journal may go away while one looks."""
    for _ in range(50):
        try:
            return b"".join(path.read_bytes() for path in folder.glob("discord.sqlite*"))
        except FileNotFoundError:
            time.sleep(0.1)
    raise AssertionError("the database does not come to rest")


async def test_people_are_stored_as_keyed_hashes_only(
    run: Run, alice: Member, tmp_path: Path
) -> None:
    async with run():
        answer = await alice.slash("ask", question=QUESTION)
        await alice.slash("settings", variant="hant")
        await alice.click(answer, "有幫助")

    stored = stored_in(tmp_path)
    assert alice.id.encode() not in stored
    assert int(alice.id).to_bytes(8, "big") not in stored
    assert b"alice" not in stored
    key = tmp_path / "people.key"
    assert stat.S_IMODE(key.stat().st_mode) == 0o600
    assert len(key.read_bytes()) == 32


def test_a_hash_is_the_same_tomorrow_and_another_under_another_key(tmp_path: Path) -> None:
    def hashed(folder: str) -> str:
        memory = Memory(tmp_path / folder, 90)
        try:
            return memory.person(12345)
        finally:
            memory.close()

    assert hashed("a") == hashed("a") != hashed("b")


async def test_help_speaks_the_language_of_the_member(run: Run, server: DiscordServer) -> None:
    async with run():
        told = {
            locale: (await server.member(locale, locale=locale).slash("help")).text
            for locale in ("zh-TW", "zh-CN", "en-GB")
        }

    assert "問這則" in told["zh-TW"]
    assert "问这条" in told["zh-CN"]
    assert "Ask about this" in told["en-GB"]
