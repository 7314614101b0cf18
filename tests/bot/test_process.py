"""The bot as a process of its own: started, told to end, and started wrongly."""

import asyncio
import json
import os
import re
import signal
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from bot.run import invitation
from bot.settings import BotSettings, load_bot_settings
from rag.errors import BadSetting
from tests.bot.running import QUESTION
from tests.conftest import ROOT, Youju
from tests.discord_server import DiscordServer, Member

SLOW = """
import os
import time
from pathlib import Path
from rag.service import Service
ask = Service.ask
def slow(self, *args, **kwargs):
    Path(os.environ["BEGUN"]).touch()
    time.sleep(2.5)
    return ask(self, *args, **kwargs)
Service.ask = slow
from bot.run import run_bot
run_bot({})
"""


@asynccontextmanager
async def process_of(
    server: DiscordServer, data_dir: Path, *command: str, **environment: str
) -> AsyncIterator[Process]:
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("YOUJU_", "DISCORD_"))}
    given = {"DISCORD_TOKEN": server.token, "YOUJU_DATA_DIR": str(data_dir), "YOUJU_SUPPORT": "0"}
    process = await asyncio.create_subprocess_exec(
        *command, stdout=PIPE, stderr=PIPE, cwd=ROOT, env={**inherited, **given, **environment}
    )
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


def bot(server: DiscordServer, *arguments: str) -> list[str]:
    return server.command_line("bot", *arguments)


async def connected(server: DiscordServer) -> None:
    await server.until(lambda: (server.gateway.connected and server.world.commands) or None, 60)


@pytest.mark.parametrize("which", [signal.SIGTERM, signal.SIGINT])
async def test_a_signal_ends_it_in_time_and_with_status_0(
    server: DiscordServer, data_dir: Path, alice: Member, which: signal.Signals
) -> None:
    alice.timeout = 30.0
    async with process_of(server, data_dir, *bot(server)) as process:
        await connected(server)
        answer = await alice.slash("ask", question=QUESTION)
        began = time.monotonic()
        process.send_signal(which)
        _, err = await asyncio.wait_for(process.communicate(), 15)

    assert QUESTION in answer.text
    assert process.returncode == 0
    assert time.monotonic() - began < 10
    assert server.token not in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_bot_over_the_digests_stays_within_450_megabytes(
    server: DiscordServer, data_dir: Path, alice: Member
) -> None:
    alice.timeout = 60.0
    async with process_of(server, data_dir, *bot(server)) as process:
        await connected(server)
        for number in range(12):
            await alice.slash("ask", question=f"{QUESTION[:-1]}，第 {number} 次問")
        megabytes = resident(process.pid)

    print(f"\nresident after 12 questions: {megabytes:.0f} MB, mapped files included")
    assert 50 < megabytes < 450


def resident(pid: int) -> float:
    told = Path(f"/proc/{pid}/status").read_text()
    return int(re.findall(r"VmRSS:\s+(\d+) kB", told)[0]) / 1000


async def test_what_is_being_answered_is_finished_and_who_waits_gets_an_apology(
    server: DiscordServer, data_dir: Path, tmp_path: Path
) -> None:
    launcher = tmp_path / "slow_bot.py"
    launcher.write_text(SLOW, "utf-8")
    command = bot(server)
    command[-1] = "slow_bot"
    members = [server.member(f"m{n}") for n in range(4)]
    begun = tmp_path / "begun"
    environment = {
        "PYTHONPATH": f"{tmp_path}{os.pathsep}{ROOT}",
        "YOUJU_DISCORD_WORKERS": "1",
        "BEGUN": str(begun),
    }
    async with process_of(server, data_dir, *command, **environment) as process:
        await connected(server)
        exchanges = [m.begin_slash("ask", question=QUESTION) for m in members]
        await server.until(lambda: all(e.acknowledged for e in exchanges) or None, 20)
        await server.until(lambda: begun.exists() or None, 20)
        process.terminate()
        began = time.monotonic()
        await asyncio.wait_for(process.communicate(), 15)

    texts = [m.sees()[i] for i, m in enumerate(members)]
    told: list[Any] = [e.original.payload for e in exchanges if e.original]
    assert len(texts) == 4
    assert time.monotonic() - began < 10
    assert sum("重新啟動" in str(payload) for payload in told) == 3
    assert sum("引文" in str(payload) for payload in told) == 1


async def test_a_token_that_discord_refuses_is_one_line_and_exit_code_3(
    server: DiscordServer, data_dir: Path
) -> None:
    async with process_of(server, data_dir, *bot(server), DISCORD_TOKEN="MTE.not.ours") as process:
        _, err = await asyncio.wait_for(process.communicate(), 60)

    told = err.decode().strip().split("\n")
    assert process.returncode == 3
    assert "DISCORD_TOKEN" in told[-1]
    assert "MTE.not.ours" not in err.decode()
    assert "Traceback" not in err.decode()


async def test_a_discord_that_cannot_be_reached_is_exit_code_6(
    server: DiscordServer, data_dir: Path
) -> None:
    command = bot(server)
    command[2] = "http://127.0.0.1:9/api/v10"
    async with process_of(server, data_dir, *command) as process:
        _, err = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 6
    assert "Discord" in err.decode().strip().split("\n")[-1]


def test_without_a_token_it_says_what_to_do(youju: Youju) -> None:
    ran = youju("bot")

    assert ran.code == 3
    assert ran.err.startswith("youju: DISCORD_TOKEN is not set")
    assert ran.err.count("\n") == 1


def test_the_invitation_is_made_from_the_token(youju: Youju) -> None:
    ran = youju("bot", "--invite", "--json", DISCORD_TOKEN="MTIzNDU2Nzg5MDEyMzQ1Njc4.x.y")

    link = json.loads(ran.out)["invite"]
    assert "client_id=123456789012345678&scope=bot+applications.commands" in link
    assert "permissions=309237713920" in link
    assert "MTIz" not in ran.out


def test_what_is_no_token_makes_no_invitation(youju: Youju) -> None:
    assert youju("bot", "--invite", DISCORD_TOKEN="hello").code == 3
    assert invitation("MTE.a.b").endswith("permissions=309237713920")


def test_settings_come_from_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DISCORD_TOKEN", "secret")
    monkeypatch.setenv("YOUJU_DISCORD_MODERATOR_ROLES", "1, 2 3")
    monkeypatch.setenv("YOUJU_DISCORD_WORKERS", "4")

    settings = load_bot_settings()
    assert settings.token.get_secret_value() == "secret"
    assert settings.moderator_roles == {1, 2, 3}
    assert settings.workers == 4


def test_the_guide_lists_every_setting_with_its_default() -> None:
    guide = (ROOT / "docs" / "DISCORD.md").read_text("utf-8")
    rows = dict(
        re.findall(r"^\| `((?:YOUJU_)?DISCORD_\w+)` \|\s*`?([^`|]*?)`?\s*\|", guide, re.MULTILINE)
    )

    fields = {
        str(field.validation_alias or f"YOUJU_DISCORD_{name.upper()}"): field.default
        for name, field in BotSettings.model_fields.items()
    }
    assert rows.keys() == fields.keys()
    for name, default in fields.items():
        if isinstance(default, int | float):
            assert rows[name] == ("true" if default is True else f"{default:g}"), name


def test_the_pictures_of_the_guide_are_there() -> None:
    guide = (ROOT / "docs" / "DISCORD.md").read_text("utf-8")
    for name in re.findall(r"\]\((pictures/[\w-]+\.png)\)", guide):
        assert 0 < (ROOT / "docs" / name).stat().st_size < 200_000, name


@pytest.mark.parametrize(("token", "code"), [("", 0), ("MTE.a.b", 0), ("hello", 3)])
def test_the_doctor_looks_at_the_token(youju: Youju, token: str, code: int) -> None:
    ran = youju("doctor", "--json", DISCORD_TOKEN=token)

    (finding,) = (f for f in json.loads(ran.out)["findings"] if f["part"] == "discord")
    assert finding["exit_code"] == code
    assert "hello" not in ran.out


def test_a_wrong_setting_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOUJU_DISCORD_QUEUE", "many")

    with pytest.raises(BadSetting, match="YOUJU_DISCORD_QUEUE"):
        load_bot_settings()
