"""`youju bot`: serves Discord until it is told to end."""

import asyncio
import base64
import binascii
import json
import logging
import os
import signal
import sys
import threading
import warnings
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from bot.errors import DiscordUnreachable, NoToken, TokenRefused
from bot.settings import BotSettings, load_bot_settings
from rag.build import build_service, load_settings
from rag.settings import Settings

_log = logging.getLogger(__name__)
# View channels, send messages, send in threads, read history, create public threads.
_PERMISSIONS = 1 << 10 | 1 << 11 | 1 << 16 | 1 << 35 | 1 << 38
_INVITE = (
    "https://discord.com/oauth2/authorize?client_id={id}&scope=bot+applications.commands"
    "&permissions={permissions}"
)
_AUTHENTICATION_FAILED = 4004
_HARD_END = 9.5  # seconds from the signal to the end, whatever still hangs


def run_bot(flags: Mapping[str, Any], invite: bool = False, as_json: bool = False) -> None:
    """Serve, or with `invite` print the invitation link. Raises YoujuError."""
    settings, bot_settings = load_settings(flags), load_bot_settings()
    if not bot_settings.token.get_secret_value():
        raise NoToken
    if invite:
        link = invitation(bot_settings.token.get_secret_value())
        sys.stdout.write((json.dumps({"invite": link}) if as_json else link) + "\n")
        return
    asyncio.run(_serve(settings, bot_settings))
    _leave()


def invitation(token: str) -> str:
    """The link that adds the bot to a server. The first part of a token is the application's id."""
    head = token.split(".")[0]
    try:
        ident = base64.b64decode(head + "=" * (-len(head) % 4)).decode("ascii")
    except (binascii.Error, UnicodeDecodeError):
        raise TokenRefused from None
    if not ident.isdigit():
        raise TokenRefused
    return _INVITE.format(id=ident, permissions=_PERMISSIONS)


async def _serve(settings: Settings, bot_settings: BotSettings) -> None:
    import aiohttp

    with warnings.catch_warnings():
        # Its voice part, which we do not use, imports a module that Python 3.13 removes.
        warnings.filterwarnings("ignore", "'audioop' is deprecated", DeprecationWarning)
        import discord

    from bot.client import YoujuBot
    from bot.desk import Desk
    from bot.health import serving_health
    from bot.logs import secrets_in, start_logging
    from bot.memory import Memory

    service = build_service(settings)
    memory = Memory(settings.data_dir, bot_settings.retention_days)
    start_logging(secrets_in(settings, bot_settings), memory.person)
    desk = Desk(service, memory, bot_settings)
    try:
        async with (
            YoujuBot(desk, bot_settings) as client,
            serving_health(client, desk),
        ):
            _end_on_signals(client)
            await client.start(bot_settings.token.get_secret_value())
    except discord.LoginFailure:
        raise TokenRefused from None
    except discord.ConnectionClosed as error:
        refused = error.code == _AUTHENTICATION_FAILED  # the token was reset while we ran
        raise (TokenRefused() if refused else DiscordUnreachable(str(error))) from None
    except (aiohttp.ClientError, OSError, discord.HTTPException, discord.GatewayNotFound) as error:
        raise DiscordUnreachable(str(error) or type(error).__name__) from None
    finally:
        desk.close()
        service.close()


def _end_on_signals(client: Any) -> None:
    """SIGTERM and SIGINT let the bot finish and close; a second one ends it at once."""
    loop = asyncio.get_running_loop()
    farewells: list[asyncio.Task[None]] = []

    def end() -> None:
        if farewells:
            os._exit(1)
        _log.info("Closing: no new questions, those under way are answered.")
        timer = threading.Timer(_HARD_END, os._exit, (0,))
        timer.daemon = True
        timer.start()
        farewells.append(asyncio.create_task(client.farewell()))

    for name in (signal.SIGTERM, signal.SIGINT):
        with suppress(NotImplementedError):  # Windows has no signal handlers for a loop
            loop.add_signal_handler(name, end)


def _leave() -> None:
    """End now: a question that hangs in a thread would keep the process for its own deadline."""
    _log.info("Closed.")
    logging.shutdown()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
