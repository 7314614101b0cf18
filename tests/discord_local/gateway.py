"""The gateway: sessions over a websocket, with heartbeats, resuming, and drops on demand."""

import asyncio
import contextlib
import json
import time
from dataclasses import dataclass, field

from aiohttp import WSMsgType, web

from tests.discord_local.world import Json, World

DISPATCH, HEARTBEAT, IDENTIFY, RESUME = 0, 1, 2, 6
RECONNECT, INVALID_SESSION, HELLO, ACK = 7, 9, 10, 11

# Intents.
GUILDS, GUILD_MEMBERS, PRESENCES = 1 << 0, 1 << 1, 1 << 8
GUILD_MESSAGES, DIRECT_MESSAGES, MESSAGE_CONTENT = 1 << 9, 1 << 12, 1 << 15
PRIVILEGED = GUILD_MEMBERS | PRESENCES | MESSAGE_CONTENT


@dataclass
class Session:
    """One login of one shard. It outlives its socket; `log` is replayed on RESUME."""

    id: str
    shard: tuple[int, int]
    intents: int
    log: list[str] = field(default_factory=list)
    socket: web.WebSocketResponse | None = None
    outbox: "asyncio.Queue[str]" = field(default_factory=asyncio.Queue)

    @property
    def connected(self) -> bool:
        return self.socket is not None and not self.socket.closed

    def send(self, op: int, data: object) -> None:
        if self.connected:
            self.outbox.put_nowait(json.dumps({"op": op, "d": data, "s": None, "t": None}))

    def dispatch(self, event: str, data: object) -> None:
        frame = {"op": DISPATCH, "d": data, "s": len(self.log) + 1, "t": event}
        self.log.append(json.dumps(frame))
        if self.connected:
            self.outbox.put_nowait(self.log[-1])


class Gateway:
    """`lateness`: for every heartbeat after a connection's first, seconds beyond the interval."""

    def __init__(self, world: World, token: str, interval: float, privileged: int) -> None:
        self._world, self._token = world, token
        self._interval, self._privileged = interval, privileged
        self.url = ""
        self.sessions: list[Session] = []
        self.identified = 0
        self.resumed = 0
        self.lateness: list[float] = []
        world.emit = self.dispatch

    @property
    def connected(self) -> list[Session]:
        return [s for s in self.sessions if s.connected]

    # what happens to the bot

    def dispatch(self, event: str, data: Json, guild_id: str | None = None) -> None:
        """Tell the shard that holds the guild; direct messages go to shard 0."""
        for session in self.sessions:
            holds = (int(guild_id) >> 22) % session.shard[1] if guild_id else 0
            if session.shard[0] == holds and _needed(event, guild_id) & session.intents:
                session.dispatch(event, self._readable(event, data, session))
        self._world.pulse.beat()

    def interact(self, data: Json, guild_id: str | None) -> None:
        """Interactions need no intent."""
        for session in self.sessions:
            holds = (int(guild_id) >> 22) % session.shard[1] if guild_id else 0
            if session.shard[0] == holds:
                session.dispatch("INTERACTION_CREATE", data)

    def drop(self) -> None:
        """Cut the connections without a word, as a failing network does."""
        for session in self.connected:
            assert session.socket is not None
            transport = session.socket._req.transport if session.socket._req else None
            if transport:
                transport.abort()

    def reconnect(self) -> None:
        for session in self.connected:
            session.send(RECONNECT, None)

    def invalidate(self, resumable: bool) -> None:
        for session in self.connected:
            session.send(INVALID_SESSION, resumable)
            if not resumable:
                self.sessions.remove(session)

    async def close(self) -> None:
        for session in self.connected:
            assert session.socket is not None
            await session.socket.close(code=1001)

    # one connection

    async def serve(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(timeout=1.0)
        await socket.prepare(request)
        hello = {"heartbeat_interval": self._interval * 1000}
        await socket.send_str(json.dumps({"op": HELLO, "d": hello, "s": None, "t": None}))
        session: Session | None = None
        writer: asyncio.Task[None] | None = None
        last_beat = 0.0
        try:
            async for frame in socket:
                if frame.type is not WSMsgType.TEXT:
                    break
                message = frame.json()
                if message["op"] == HEARTBEAT:
                    await socket.send_str(json.dumps({"op": ACK, "d": None}))
                    last_beat = self._note_beat(last_beat)
                elif message["op"] in (IDENTIFY, RESUME):
                    session = await self._login(socket, message)
                    writer = asyncio.create_task(_write(session, socket)) if session else None
        finally:
            await self._hang_up(session, writer, socket)
        return socket

    async def _hang_up(
        self,
        session: Session | None,
        writer: "asyncio.Task[None] | None",
        socket: web.WebSocketResponse,
    ) -> None:
        if session and session.socket is socket:
            session.socket = None
        if writer:
            writer.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await writer
        self._world.pulse.beat()

    def _note_beat(self, last: float) -> float:
        now = time.monotonic()
        if last:
            self.lateness.append(max(0.0, now - last - self._interval))
            self._world.pulse.beat()
        return now

    async def _login(self, socket: web.WebSocketResponse, message: Json) -> Session | None:
        data = message["d"]
        if data["token"] != self._token:
            await socket.close(code=4004, message=b"Authentication failed.")
            return None
        if message["op"] == IDENTIFY:
            return await self._identify(socket, data)
        return await self._resume(socket, data)

    async def _identify(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        if data["intents"] & PRIVILEGED & ~self._privileged:
            await socket.close(code=4014, message=b"Disallowed intent(s).")
            return None
        shard = tuple(data.get("shard") or (0, 1))
        session = Session(self._world.clock.snowflake(), shard, data["intents"])
        # Two programs with one token are both told everything, as with Discord.
        self.sessions = [s for s in self.sessions if s.connected or s.shard != shard] + [session]
        self._attach(session, socket)
        self.identified += 1
        self._welcome(session)
        return session

    async def _resume(self, socket: web.WebSocketResponse, data: Json) -> Session | None:
        for session in self.sessions:
            if session.id == data["session_id"]:
                self._attach(session, socket)
                for frame in session.log[data["seq"] :]:
                    session.outbox.put_nowait(frame)
                session.dispatch("RESUMED", {"_trace": []})
                self.resumed += 1
                self._world.pulse.beat()
                return session
        await socket.send_str(json.dumps({"op": INVALID_SESSION, "d": False}))
        return None

    def _attach(self, session: Session, socket: web.WebSocketResponse) -> None:
        session.socket, session.outbox = socket, asyncio.Queue()

    def _welcome(self, session: Session) -> None:
        world, (number, count) = self._world, session.shard
        mine = [g for g in world.guilds.values() if (int(g["id"]) >> 22) % count == number]
        session.dispatch("READY", {
            "v": 10, "user": world.bot, "session_id": session.id, "shard": [number, count],
            "resume_gateway_url": self.url, "private_channels": [],
            "guilds": [{"id": g["id"], "unavailable": True} for g in mine],
            "application": {"id": world.application_id, "flags": 0},
        })  # fmt: skip
        for guild in mine:
            session.dispatch("GUILD_CREATE", self._guild_as_told(guild, session))
        world.pulse.beat()

    def _guild_as_told(self, guild: Json, session: Session) -> Json:
        """Without the members intent a bot is told of itself only."""
        told = [
            m
            for m in guild["members"]
            if session.intents & GUILD_MEMBERS or m["user"]["id"] == self._world.bot["id"]
        ]
        return guild | {"members": told, "member_count": len(guild["members"])}

    def _readable(self, event: str, data: Json, session: Session) -> Json:
        """Without the content intent the text is hidden, unless it concerns the bot."""
        if not event.startswith("MESSAGE") or "author" not in data:
            return data
        bot = self._world.bot["id"]
        concerns = data["author"]["id"] == bot or bot in [u["id"] for u in data["mentions"]]
        if concerns or session.intents & MESSAGE_CONTENT or "guild_id" not in data:
            return data
        return data | {"content": "", "embeds": [], "attachments": [], "components": []}


def _needed(event: str, guild_id: str | None) -> int:
    """The intents of which one brings the event."""
    if event.startswith("MESSAGE"):
        return GUILD_MESSAGES if guild_id else DIRECT_MESSAGES
    if event == "CHANNEL_CREATE" and guild_id is None:
        return DIRECT_MESSAGES | GUILDS
    return GUILDS


async def _write(session: Session, socket: web.WebSocketResponse) -> None:
    """Send what the session has to say, in order, until the socket is gone."""
    outbox = session.outbox
    with contextlib.suppress(ConnectionError, RuntimeError):
        while not socket.closed:
            await socket.send_str(await outbox.get())
