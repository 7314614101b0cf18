"""The real bot in the local Discord: the Service over the digests, a memory of its own."""

import asyncio
import contextlib
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bot.client import YoujuBot
from bot.desk import Desk
from bot.memory import Memory
from bot.settings import BotSettings
from rag.build import build_service
from rag.service import Service
from rag.settings import Settings
from tests.discord_server import DiscordServer, Seen

QUESTION, QUESTION_HANS = "Izmailov 在哪裡長大？", "Izmailov 在哪里长大？"


def opened(data_dir: Path, **given: Any) -> Service:
    """A Service whose answers do not hang on how well it is tuned: `support` 0 answers all."""
    return build_service(Settings(data_dir=data_dir, _env_file=None, **given))  # type: ignore[call-arg]


def bot_settings(**given: Any) -> BotSettings:
    """The defaults, whatever the environment says; without a cooldown unless one is given."""
    return BotSettings(_env_file=None, **{"token": "x", "cooldown": 0.0} | given)


@contextlib.asynccontextmanager
async def running_bot(
    server: DiscordServer, service: Service, folder: Path, **given: Any
) -> AsyncIterator[YoujuBot]:
    """A bot with the given settings that has logged in; `folder` holds what it remembers."""
    settings = bot_settings(**given)
    desk = Desk(service, Memory(folder, settings.retention_days), settings)
    client = YoujuBot(desk, settings)
    try:
        async with server.running(client):
            yield client
    finally:
        desk.close()


@dataclass(frozen=True)
class Crowd:
    """Fifty members who asked at once: what each saw, and how the bot bore it, in seconds."""

    seen: list[Seen]
    acknowledged: float  # of the 48th quickest: p95
    took: float
    lateness: float  # of a heartbeat, at most
    pings: int


async def fifty_at_once(service: Service, folder: Path, until: str, **given: Any) -> Crowd:
    """A bot asked by fifty members at the same moment, until each sees these words."""
    async with DiscordServer(heartbeat=0.5, check_later=True, rate_limits=False) as server:
        async with running_bot(server, service, folder, wait=120.0, **given):
            members = [server.member(f"m{n}") for n in range(50)]
            began = time.monotonic()
            exchanges = [
                m.begin_slash("ask", question=f"{QUESTION}{n}") for n, m in enumerate(members)
            ]
            seen = await asyncio.gather(
                *(m.answer_to(e, 120) for m, e in zip(members, exchanges, strict=True))
            )
            for one in seen:
                await one.until(until, within=120)
            took = time.monotonic() - began
        acknowledged = sorted(one.seconds_to_acknowledge for one in seen)
        lateness = max(server.gateway.lateness, default=0.0)
    return Crowd(seen, acknowledged[47], took, lateness, server.pings)
