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
        against = "" if FILE.exists() else " (Discord's OpenAPI file is not here)"
        terminalreporter.write_line(
            f"local Discord: {TALLY.validated} requests validated, {TALLY.by_schema} against "
            f"Discord's OpenAPI file{against}, {TALLY.rejected} rejected"
        )
