"""What the bot's tests share: a local Discord, and its figures at the end of the run."""

import warnings
from collections.abc import AsyncIterator

import pytest

with warnings.catch_warnings():
    # discord.py's voice part imports audioop, which 3.13 removes (and discord.py then replaces).
    warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
    import discord  # noqa: F401

from tests.discord_openapi import FILE, TALLY
from tests.discord_server import DiscordServer, Member


@pytest.fixture
async def server() -> AsyncIterator[DiscordServer]:
    async with DiscordServer() as running:
        yield running


@pytest.fixture
def alice(server: DiscordServer) -> Member:
    return server.member("alice")


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if TALLY.validated:
        against = "Discord's OpenAPI file and " if FILE.exists() else ""
        terminalreporter.write_line(
            f"local Discord: {TALLY.validated} requests validated against {against}our own rules, "
            f"{TALLY.rejected} rejected"
        )
