"""What the running bot logs and serves beside Discord: questions to follow, nothing to hide."""

import asyncio
import io
import json
import logging
import re
import socket
import sys
from asyncio.subprocess import PIPE
from collections import defaultdict
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from pydantic import SecretStr

from bot.logs import Redaction, a_question, secrets_in, start_logging
from bot.metrics import Metrics
from rag.result import Answer, Timings, Usage
from tests.bot.running import QUESTION, bot_settings
from tests.bot.test_process import bot, connected, process_of
from tests.conftest import ROOT, Youju
from tests.discord_server import DiscordServer, Member, Seen, rate_limited

LLM_KEY = "sk-a-key-that-nobody-may-read"
ORIGINAL = "*/messages/@original"
Line = dict[str, Any]


def free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def parsed(err: bytes) -> list[Line]:
    return [json.loads(line) for line in err.decode().splitlines()]


async def page(port: int, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://127.0.0.1:{port}/{path}") as response,
    ):
        return response.status, await response.text()


async def health_check(port: int) -> int:
    """What the image's own health check says of a bot on this port."""
    told = (ROOT / "Dockerfile").read_text("utf-8")
    written = re.search(r"HEALTHCHECK .*?CMD (\[.*?\])\n", told, re.DOTALL)
    assert written is not None
    _, *arguments = json.loads(written[1].replace("9464", str(port)))
    process = await asyncio.create_subprocess_exec(sys.executable, *arguments, stderr=PIPE)
    await process.communicate()
    return process.returncode or 0


async def finished(server: DiscordServer, seen: Seen) -> Seen:
    """The message once it shows an answer, no longer that one is being written."""
    await server.until(lambda: "简" in [button.label for button in seen.buttons] or None, 60)
    return seen


async def until_ready(port: int) -> tuple[int, str]:
    """What /readyz says in the end; discord.py takes its time to count the servers."""
    for _ in range(100):
        status, told = await page(port, "readyz")
        if status == 200:
            break
        await asyncio.sleep(0.2)
    return status, told


async def test_a_session_can_be_followed_in_the_log_and_shows_no_secret_and_no_person(
    server: DiscordServer, data_dir: Path, alice: Member
) -> None:
    port = free_port()
    bob = server.member("bob")
    for member in (alice, bob):
        member.timeout = 60.0
    given = {
        "YOUJU_DISCORD_METRICS_PORT": str(port),
        "YOUJU_DISCORD_COOLDOWN": "300",
        "YOUJU_DISCORD_COOLDOWN_QUESTIONS": "2",
        "YOUJU_LLM_BASE_URL": "http://127.0.0.1:9/v1",  # nobody is there
        "YOUJU_LLM_MODEL": "none",
        "YOUJU_LLM_API_KEY": LLM_KEY,
    }
    async with process_of(server, data_dir, *bot(server), **given) as process:
        await connected(server)
        # discord.py logs the address, with what stands in it.
        server.fail(rate_limited(0.1), "PATCH", ORIGINAL)
        server.fail(rate_limited(0.1), "POST", "/channels/*/messages")
        answer = await finished(server, await alice.slash("ask", question=QUESTION))
        await finished(server, await bob.ask(QUESTION))
        flipped = await alice.click(answer, "简")
        await finished(server, await alice.slash("ask", question="明天會下雨嗎？"))
        await alice.slash("ask", question="一個太多的問題")
        healthy, _ = await page(port, "healthz")
        in_container = await health_check(port)
        ready, told = await until_ready(port)
        counted_status, counted = await page(port, "metrics")
        process.terminate()
        _, err = await asyncio.wait_for(process.communicate(), 30)

    log, lines = err.decode(), parsed(err)
    assert flipped
    assert "Webhook ID id:" in log
    assert "/channels/id:" in log
    hidden = [server.token, LLM_KEY, *server.interactions.all]
    ids = [alice.id, bob.id, alice.guild["id"], alice.home["id"], answer.id]
    assert [secret for secret in [*hidden, *ids] if secret in log] == []
    assert QUESTION not in log
    assert "一個太多的問題" not in log

    hops = defaultdict(list)
    for line in lines:
        if "question" in line:
            hops[line["question"]].append((line["logger"], line["event"]))
    whole = [
        ("bot.asking", "admitted"),
        ("rag.generations", "leased"),
        ("rag.service", "answered"),
        ("bot.asking", "shown"),
    ]
    followed = [found for found in hops.values() if [hop for hop in found if hop in whole] == whole]
    assert len(followed) == 3
    assert ("bot.asking", "not answered") in [hop for found in hops.values() for hop in found]

    assert (healthy, ready, counted_status) == (200, 200, 200), told
    assert in_container == 0
    assert await health_check(port) == 1
    assert 'youju_questions_total{outcome="answered"} 3.0' in counted
    assert 'youju_questions_total{outcome="CoolingDown"} 1.0' in counted
    assert 'youju_stage_seconds_count{stage="whole"} 3.0' in counted
    assert "youju_generation_info{" in counted
    assert "youju_event_loop_lag_seconds_count" in counted


async def test_a_port_that_is_taken_is_named_and_nothing_is_served_without_one(
    server: DiscordServer, data_dir: Path
) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        given = {"YOUJU_DISCORD_METRICS_PORT": str(port)}
        async with process_of(server, data_dir, *bot(server), **given) as process:
            _, err = await asyncio.wait_for(process.communicate(), 60)

    assert process.returncode == 3
    assert "YOUJU_DISCORD_METRICS_PORT" in err.decode().splitlines()[-1]
    assert bot_settings().metrics_port is None


def person(ident: int) -> str:
    return f"hash-of-{ident % 10}"


@pytest.mark.parametrize(
    ("logged", "shown"),
    [
        ("token MTE.x.y refused", "token … refused"),
        ("<Member id=1234567890123456789>", "<Member id=id:hash-of-9>"),
        ("PATCH /webhooks/99/aW50.secret/messages/@original", "PATCH /webhooks/99/…"),
        ("POST /interactions/99/aW50.secret/callback", "POST /interactions/99/…"),
        (1234567890123456780, "id:hash-of-0"),
        ([1234567890123456780, True, 7, 0.5], ["id:hash-of-0", True, 7, 0.5]),
        ({"who": {"id": "1234567890123456781"}}, {"who": {"id": "id:hash-of-1"}}),
        ("20261121T151447-a1b2c3", "20261121T151447-a1b2c3"),
    ],
)
def test_secrets_and_ids_are_taken_out_of_whatever_is_logged(logged: Any, shown: Any) -> None:
    clean = Redaction(["MTE.x.y", ""], person)

    told = clean(None, "info", {"event": logged})["event"]

    assert told.startswith(shown) if isinstance(shown, str) and "…" in shown else told == shown


def test_a_traceback_is_logged_in_one_line_without_its_secrets() -> None:
    stream, before = io.StringIO(), logging.getLogger().handlers[:]
    try:
        start_logging(["MTE.x.y"], person, stream)
        with a_question() as ident:
            try:
                raise ValueError("MTE.x.y of 1234567890123456789")
            except ValueError:
                logging.getLogger("bot.x").exception("Trouble")
    finally:
        logging.getLogger().handlers[:] = before

    (line,) = [json.loads(text) for text in stream.getvalue().splitlines()]
    assert (line["event"], line["level"], line["question"]) == ("Trouble", "error", ident)
    assert "ValueError: … of id:hash-of-9" in line["exception"]


def test_every_secret_setting_is_known_to_the_log() -> None:
    settings = bot_settings(token=SecretStr("MTE.x.y"))

    assert secrets_in(settings) == ["MTE.x.y"]


def test_what_a_language_model_costs_and_why_it_failed_is_counted() -> None:
    metrics = Metrics()
    usage = Usage(prompt_tokens=100, completion_tokens=20, calls=2)
    times = Timings(1.0, 2.0, 3.0)
    metrics.answered(
        Answer("q", "hant", "answered", "a", (), (), "g", times, degraded="timeout", usage=usage)
    )

    page = metrics.page().decode()

    assert 'youju_llm_tokens_total{kind="prompt"} 100.0' in page
    assert "youju_llm_calls_total 2.0" in page
    assert 'youju_llm_degraded_total{reason="timeout"} 1.0' in page


def test_a_command_of_the_command_line_logs_nothing(youju: Youju) -> None:
    assert youju("ask", "什麼是 sandbagging？").err == ""
