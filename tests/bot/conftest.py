"""What the bot's tests share: a local Discord, and its figures at the end of the run."""

import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

with warnings.catch_warnings():
    # discord.py's voice part imports audioop, which 3.13 removes (and discord.py then replaces).
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401

from bot.client import YoujuBot
from rag.service import Service
from tests.bot.running import opened, running_bot
from tests.discord_openapi import FILE, TALLY
from tests.discord_server import DiscordServer, Member


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as running:
        yield running


@pytest.fixture
def alice(server: DiscordServer) -> Member:
    return server.member("alice")


@pytest.fixture(scope="session")
def answering(data_dir: Path) -> Iterator[Service]:
    """A Service that answers whatever it is asked."""
    service = opened(data_dir, support=0.0)
    yield service
    service.close()


@pytest.fixture(scope="session")
def refusing(data_dir: Path) -> Iterator[Service]:
    """A Service that refuses whatever it is asked."""
    service = opened(data_dir, support=1.0)
    yield service
    service.close()


Run = Callable[..., AbstractAsyncContextManager[YoujuBot]]


@pytest.fixture
def run(server: DiscordServer, answering: Service, tmp_path: Path) -> Run:
    """Runs the bot over `answering`, or the Service given; it remembers between two runs."""

    def start(service: Service = answering, **given: Any) -> AbstractAsyncContextManager[YoujuBot]:
        return running_bot(server, service, tmp_path, **given)

    return start


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.validated:
        against = "Discord's OpenAPI file and " if FILE.exists() else ""
        terminalreporter.write_line(
            f"local Discord: {TALLY.validated} requests validated against {against}our own rules, "
            f"{TALLY.rejected} rejected"
        )
