"""The real bot in the local Discord: the Service over the digests, a memory of its own."""

import contextlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from bot.client import YoujuBot
from bot.desk import Desk
from bot.memory import Memory
from bot.settings import BotSettings
from rag.build import build_service
from rag.service import Service
from rag.settings import Settings
from tests.discord_server import DiscordServer

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
