"""A small local Discord that the unmodified discord.py client logs in to.

    async with DiscordServer() as discord, discord.running(client):
        alice = discord.member("alice", locale="zh-TW")
        answer = await alice.slash("ask", question="什麼是強化學習？")
        flipped = await alice.click(answer, "简")

On leaving, the test fails if the bot sent a request whose form Discord would not take.
"""

import asyncio
import contextlib
import sys
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import TracebackType
from typing import TypeVar

import discord
import yarl
from aiohttp import web
from discord.gateway import DiscordWebSocket
from discord.http import Route

from tests.discord_local.buckets import Buckets
from tests.discord_local.clock import Clock, Pulse
from tests.discord_local.faults import Fault, Faults, broken, dropped, late, rate_limited, refused
from tests.discord_local.gateway import Gateway
from tests.discord_local.interactions import Interactions
from tests.discord_local.member import Member, NoReply
from tests.discord_local.messages import Messages
from tests.discord_local.rest import PREFIX, Request, Rest
from tests.discord_local.routes import Routes
from tests.discord_local.seen import Modal, Seen
from tests.discord_local.world import MANAGE_GUILD, Json, World
from tests.discord_openapi import TALLY

__all__ = [
    "DiscordServer", "Fault", "Member", "Modal", "NoReply", "Seen",
    "broken", "dropped", "late", "rate_limited", "refused",
]  # fmt: skip

T = TypeVar("T")
TOKEN = "MTE.local.token"


class DiscordServer:
    """One guild with the channel `home` is there from the start.

    shards: what /gateway/bot recommends.
    heartbeat: seconds between the heartbeats that the bot must send.
    privileged: bits of the privileged intents that the application was granted.
    rate_limits: False never lets a window run out.
    check_later: forms are checked at the end, so that the check (10 ms or more for a long message)
        does not hold the loop while something is timed.
    strict: False keeps requests with problems from failing the test; see `rejected`.
    """

    token = TOKEN

    def __init__(
        self, *, shards: int = 1, heartbeat: float = 5.0, privileged: int = 0,
        rate_limits: bool = True, check_later: bool = False, strict: bool = True,
    ) -> None:  # fmt: skip
        self.clock, self.pulse = Clock(), Pulse()
        self.world = World(self.clock, self.pulse)
        self.messages = Messages(self.world)
        self.interactions = Interactions(self.world, self.messages)
        self.gateway = Gateway(self.world, TOKEN, heartbeat, privileged)
        self.faults, self.buckets = Faults(), Buckets(rate_limits)
        self.rest = Rest(TOKEN, self.faults, self.buckets, self.pulse)
        self.routes = Routes(self.world, self.messages, self.interactions, shards)
        self.routes.install(self.rest)
        self.rest.checks_later = check_later
        self.guild = self.world.add_guild("讀書會")
        self.home = self.world.add_channel(self.guild, "問答")
        self._strict = strict
        self._leave = contextlib.AsyncExitStack()

    # starting and stopping

    async def __aenter__(self) -> "DiscordServer":
        app = web.Application(client_max_size=32 * 2**20)
        app.router.add_get("/gateway/", self.gateway.serve)
        app.router.add_route("*", PREFIX + "/{path:.*}", self.rest.serve)
        runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
        await runner.setup()
        site = web.TCPSite(runner, "127.0.0.1", 0)
        await site.start()
        port = runner.addresses[0][1]
        self.url = f"http://127.0.0.1:{port}{PREFIX}"
        self.gateway.url = self.routes.gateway_url = f"ws://127.0.0.1:{port}/gateway/"
        self._leave.push_async_callback(runner.cleanup)
        self._leave.push_async_callback(self.gateway.close)
        self._leave.enter_context(self._in_place_of_discord())
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:  # fmt: skip
        await self._leave.aclose()
        self.rest.check_now()
        if self._strict:
            TALLY.validated += len(self.requests)
            TALLY.rejected += len(self.rejected)
            if kind is None:
                self.check()

    @contextlib.contextmanager
    def _in_place_of_discord(self) -> Iterator[None]:
        before = Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = self.url, yarl.URL(self.gateway.url)
        yield
        Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = before

    @contextlib.asynccontextmanager
    async def running(self, client: discord.Client, ready: bool = False) -> AsyncIterator[None]:
        """The client logged in and told of its guilds; `ready` waits for on_ready too (2 s)."""
        task = asyncio.create_task(client.start(TOKEN))
        told = asyncio.create_task(self._told(client, ready))
        try:
            await asyncio.wait({task, told}, return_when=asyncio.FIRST_COMPLETED)
            if task.done():
                task.result()
            yield
        finally:
            told.cancel()
            await client.close()
            await asyncio.gather(task, told, return_exceptions=True)

    async def _told(self, client: discord.Client, ready: bool) -> None:
        def told() -> bool:
            known = [guild for guild in client.guilds if not guild.unavailable]
            return len(known) >= len(self.world.guilds)

        while not told():  # noqa: ASYNC110 - the client has no event for it
            await asyncio.sleep(0.01)
        if ready:
            await client.wait_until_ready()

    def command_line(self, module: str, *arguments: str) -> list[str]:
        """Runs a module in a process of its own against this server, for signals."""
        launch = Path(__file__).parent / "discord_local" / "launch.py"
        return [sys.executable, str(launch), self.url, self.gateway.url, module, *arguments]

    # people and places

    def member(
        self, name: str, *, locale: str = "zh-TW", permissions: int = 0, guild: Json | None = None
    ) -> Member:
        """A new member; `permissions` are given through a role of their own."""
        guild = guild or self.guild
        roles = [self.world.add_role(guild, name, permissions)["id"]] if permissions else []
        user = self.world.add_user(name)
        self.world.join(user, guild, roles)
        home = self.home if guild is self.guild else guild["channels"][0]
        return Member(
            self.world, self.messages, self.interactions, self.gateway, user, guild, home, locale
        )

    def moderator(self, name: str = "mod", locale: str = "zh-TW") -> Member:
        return self.member(name, locale=locale, permissions=MANAGE_GUILD)

    # looking

    @property
    def requests(self) -> list[Request]:
        return self.rest.requests

    def sent(self, method: str, ending: str = "") -> list[Request]:
        """The requests of a method whose path ends so."""
        return [r for r in self.requests if r.method == method and r.path.endswith(ending)]

    @property
    def rejected(self) -> list[Request]:
        return [r for r in self.requests if r.problems]

    @property
    def pings(self) -> int:
        """People, roles and everyones that the bot's messages could have pinged."""
        mine = [m for m in self.messages if m.payload["author"] == self.world.bot]
        return sum(len(m.pings) for m in mine)

    def check(self) -> None:
        """Fail if Discord would have rejected the form of any request."""
        told = [f"{r}: {problem}" for r in self.rejected for problem in r.problems]
        assert not told, "Discord would reject:\n" + "\n".join(told)

    async def until(self, look: Callable[[], T | None], within: float = 10.0) -> T:
        """Wait until `look` finds something after a change in the local Discord."""
        return await self.pulse.until(look, within)

    # doing

    def fail(self, fault: Fault, method: str, path: str, times: int = 1) -> None:
        """The next `times` requests to a path like "/channels/*/messages" meet the fault."""
        self.faults.add(fault, method, path, times)

    def delete(self, seen: Seen) -> None:
        """A moderator deletes the message."""
        self.messages.delete(seen.message)
