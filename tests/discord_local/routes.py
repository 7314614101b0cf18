"""What each REST route does to the world."""

from tests.discord_local.errors import ApiError
from tests.discord_local.faults import Answer
from tests.discord_local.interactions import Interactions
from tests.discord_local.messages import COMPONENTS_V2, HAS_THREAD, Message, Messages
from tests.discord_local.rest import Handler, Request, Rest
from tests.discord_local.world import (
    ADD_REACTIONS,
    CREATE_PUBLIC_THREADS,
    PRIVATE_THREAD,
    PUBLIC_THREAD,
    SEND_IN_THREADS,
    SEND_MESSAGES,
    THREADS,
    VIEW_CHANNEL,
    Json,
    World,
)

MANAGE_MESSAGES, MANAGE_THREADS = 1 << 13, 1 << 34
GONE: Answer = (204, None)


class Routes:
    def __init__(
        self, world: World, messages: Messages, interactions: Interactions, shards: int
    ) -> None:
        self._world, self._messages, self._interactions = world, messages, interactions
        self._shards = shards
        self.gateway_url = ""
        self.typing: list[str] = []

    def install(self, rest: Rest) -> None:
        rest.is_v2 = self._is_v2
        for line, handler in self._table():
            method, path = line.split()
            rest.add(method, path, handler)

    def _table(self) -> list[tuple[str, Handler]]:
        message = "/channels/{channel}/messages/{message}"
        hook = "/webhooks/{application}/{token}"
        commands = "/applications/{application}/commands"
        guild_commands = "/applications/{application}/guilds/{guild}/commands"
        return [
            ("GET /users/@me", lambda _: (200, self._world.bot)),
            ("GET /oauth2/applications/@me", self.application),
            ("GET /applications/@me", self.application),
            ("GET /gateway/bot", self.gateway),
            ("GET /users/{user}", self.user),
            ("POST /users/@me/channels", self.open_dm),
            ("GET /guilds/{guild}", self.guild),
            ("GET /guilds/{guild}/members/{user}", self.member),
            ("GET /guilds/{guild}/channels", self.guild_channels),
            (f"GET {commands}", self.list_commands),
            (f"PUT {commands}", self.set_commands),
            (f"GET {guild_commands}", self.list_commands),
            (f"PUT {guild_commands}", self.set_commands),
            ("GET /channels/{channel}", self.channel),
            ("PATCH /channels/{channel}", self.edit_channel),
            ("DELETE /channels/{channel}", self.delete_channel),
            ("POST /channels/{channel}/typing", self.start_typing),
            ("GET /channels/{channel}/messages", self.list_messages),
            ("POST /channels/{channel}/messages", self.send),
            (f"GET {message}", self.get_message),
            (f"PATCH {message}", self.edit_message),
            (f"DELETE {message}", self.delete_message),
            (f"POST {message}/threads", self.thread_from_message),
            ("POST /channels/{channel}/threads", self.thread),
            ("PUT /channels/{channel}/thread-members/{user}", lambda *_: GONE),
            ("DELETE /channels/{channel}/thread-members/{user}", lambda *_: GONE),
            (f"PUT {message}/reactions/{{emoji}}/@me", self.react),
            (f"DELETE {message}/reactions/{{emoji}}/@me", self.unreact),
            ("POST /interactions/{id}/{token}/callback", self.callback),
            (f"POST {hook}", self.follow_up),
            (f"GET {hook}/messages/{{message}}", self.get_hook_message),
            (f"PATCH {hook}/messages/{{message}}", self.edit_hook_message),
            (f"DELETE {hook}/messages/{{message}}", self.delete_hook_message),
        ]

    # login

    def application(self, _: Request) -> Answer:
        return 200, {
            "id": self._world.application_id, "name": "youju", "icon": None, "description": "",
            "bot_public": True, "bot_require_code_grant": False, "verify_key": "0" * 64,
            "flags": 0, "summary": "", "hook": True, "team": None, "redirect_uris": [],
            "interactions_endpoint_url": None, "role_connections_verification_url": None,
            "owner": next(u for u in self._world.users.values() if not u["bot"]),
        }  # fmt: skip

    def gateway(self, _: Request) -> Answer:
        limit = {"total": 1000, "remaining": 999, "reset_after": 1000, "max_concurrency": 1}
        told = {"url": self.gateway_url, "shards": self._shards, "session_start_limit": limit}
        return 200, told

    # people and places

    def user(self, _: Request, user: str) -> Answer:
        if user not in self._world.users:
            raise ApiError(10013)
        return 200, self._world.users[user]

    def guild(self, _: Request, guild: str) -> Answer:
        if guild not in self._world.guilds:
            raise ApiError(10004)
        hidden = ("members", "channels", "threads")
        return 200, {k: v for k, v in self._world.guilds[guild].items() if k not in hidden}

    def member(self, _: Request, guild: str, user: str) -> Answer:
        return 200, self._world.member(guild, user)

    def guild_channels(self, _: Request, guild: str) -> Answer:
        return 200, self._world.guilds[guild]["channels"]

    def open_dm(self, request: Request) -> Answer:
        return 200, self._world.dm(str(request.body["recipient_id"]))

    def channel(self, _: Request, channel: str) -> Answer:
        self._world.need(self._world.channel(channel), VIEW_CHANNEL)
        return 200, self._world.channel(channel)

    def edit_channel(self, request: Request, channel: str) -> Answer:
        found, body = self._world.channel(channel), dict(request.body)
        own = found.get("owner_id") == self._world.bot["id"]
        self._world.need(found, 0 if own else MANAGE_THREADS)
        meta = found.get("thread_metadata", {})
        meta.update({k: body.pop(k) for k in list(body) if k in meta})
        found.update(body)
        event = "THREAD_UPDATE" if found["type"] in THREADS else "CHANNEL_UPDATE"
        self._world.emit(event, found, found["guild_id"])
        return 200, found

    def delete_channel(self, _: Request, channel: str) -> Answer:
        self._world.need(self._world.channel(channel), MANAGE_THREADS)
        return 200, self._world.delete_channel(channel)

    def start_typing(self, _: Request, channel: str) -> Answer:
        self._sendable(channel)
        self.typing.append(channel)
        return GONE

    def _sendable(self, channel: str) -> Json:
        found = self._world.channel(channel)
        in_thread = found["type"] in THREADS
        self._world.need(found, SEND_IN_THREADS if in_thread else SEND_MESSAGES)
        if in_thread and found["thread_metadata"]["locked"]:
            raise ApiError(50083)
        return found

    # commands

    def list_commands(self, _: Request, _app: str, guild: str | None = None) -> Answer:
        return 200, self._world.commands.get(guild, [])

    def set_commands(self, request: Request, application: str, guild: str | None = None) -> Answer:
        """A command that was there keeps its id."""
        before = {(c["type"], c["name"]): c["id"] for c in self._world.commands.get(guild, ())}
        scope = {"guild_id": guild} if guild else {}
        self._world.commands[guild] = [
            _registered(command) | scope | {
                "id": before.get((command.get("type") or 1, command["name"]))
                or self._world.clock.snowflake(),
                "application_id": application, "version": self._world.clock.snowflake(),
            }
            for command in request.body
        ]  # fmt: skip
        return 200, self._world.commands[guild]

    # messages

    def send(self, request: Request, channel: str) -> Answer:
        self._sendable(channel)
        body = self._with_files(request, channel)
        return 200, self._messages.create(channel, self._world.bot["id"], body).payload

    def list_messages(self, request: Request, channel: str) -> Answer:
        self._world.need(self._world.channel(channel), VIEW_CHANNEL | 1 << 16)
        query = request.query
        shown = [
            m.payload
            for m in self._messages
            if m.channel_id == channel and not m.deleted and not m.only_for
            if int(m.id) < int(query.get("before", 1 << 64))
            if int(m.id) > int(query.get("after", 0))
        ]
        limit = int(query.get("limit", 50))
        return 200, shown[:limit] if "after" in query else shown[::-1][:limit]

    def get_message(self, _: Request, channel: str, message: str) -> Answer:
        self._world.need(self._world.channel(channel), VIEW_CHANNEL | 1 << 16)
        return 200, self._public(channel, message).payload

    def edit_message(self, request: Request, channel: str, message: str) -> Answer:
        found = self._public(channel, message)
        if found.payload["author"]["id"] != self._world.bot["id"]:
            raise ApiError(50005)
        return 200, self._messages.edit(found, self._with_files(request, channel)).payload

    def delete_message(self, _: Request, channel: str, message: str) -> Answer:
        found = self._public(channel, message)
        own = found.payload["author"]["id"] == self._world.bot["id"]
        self._world.need(self._world.channel(channel), 0 if own else MANAGE_MESSAGES)
        self._messages.delete(found)
        return GONE

    def _public(self, channel: str, message: str) -> Message:
        """Ephemeral messages are reached through their interaction only."""
        found = self._messages.get(channel, message)
        if found.only_for is not None:
            raise ApiError(10008)
        return found

    def _with_files(self, request: Request, channel: str) -> Json:
        body = dict(request.body or {})
        if request.files:
            body["attachments"] = [
                {
                    "id": self._world.clock.snowflake(), "filename": name, "size": len(content),
                    "url": f"attachment://{channel}/{name}", "proxy_url": f"attachment://{name}",
                }
                for name, content in request.files
            ]  # fmt: skip
        return body

    def react(self, _: Request, channel: str, message: str, emoji: str) -> Answer:
        self._world.need(self._world.channel(channel), ADD_REACTIONS)
        payload = self._public(channel, message).payload
        reaction = {
            "emoji": {"id": None, "name": emoji}, "count": 1, "me": True, "me_burst": False,
            "count_details": {"normal": 1, "burst": 0}, "burst_colors": [],
        }  # fmt: skip
        payload.setdefault("reactions", []).append(reaction)
        self._world.pulse.beat()
        return GONE

    def unreact(self, _: Request, channel: str, message: str, emoji: str) -> Answer:
        payload = self._public(channel, message).payload
        kept = [r for r in payload.get("reactions", ()) if r["emoji"]["name"] != emoji]
        payload["reactions"] = kept
        return GONE

    # threads

    def thread_from_message(self, request: Request, channel: str, message: str) -> Answer:
        found = self._public(channel, message)
        if found.payload["flags"] & HAS_THREAD:
            raise ApiError(160004)
        found.payload["flags"] |= HAS_THREAD
        return self._open_thread(request.body, channel, PUBLIC_THREAD, message)

    def thread(self, request: Request, channel: str) -> Answer:
        return self._open_thread(request.body, channel, request.body.get("type") or PRIVATE_THREAD)

    def _open_thread(
        self, body: Json, channel: str, kind: int, thread_id: str | None = None
    ) -> Answer:
        parent = self._world.channel(channel)
        self._world.need(parent, CREATE_PUBLIC_THREADS)
        thread = self._world.add_thread(
            parent, body["name"], self._world.bot["id"], thread_id=thread_id, kind=kind,
            archive_minutes=body.get("auto_archive_duration") or 1440,
        )  # fmt: skip
        self._world.pulse.beat()
        return 201, thread

    # interactions

    def callback(self, request: Request, interaction: str, token: str) -> Answer:
        body = dict(request.body)
        if request.files:
            channel = self._interactions.all[token].payload["channel_id"]
            body["data"] = self._with_files(
                Request("", "", {}, body["data"], request.files), channel
            )
        told = self._interactions.answer(interaction, token, body)
        return (200, told) if request.query.get("with_response") else GONE

    def follow_up(self, request: Request, _app: str, token: str) -> Answer:
        channel = self._interactions.alive(token).payload["channel_id"]
        message = self._interactions.follow_up(token, self._with_files(request, channel))
        return 200, message.payload

    def get_hook_message(self, _: Request, _app: str, token: str, message: str) -> Answer:
        return 200, self._interactions.find(token, message).payload

    def edit_hook_message(self, request: Request, _app: str, token: str, message: str) -> Answer:
        channel = self._interactions.alive(token).payload["channel_id"]
        body = self._with_files(request, channel)
        return 200, self._interactions.edit(token, message, body).payload

    def delete_hook_message(self, _: Request, _app: str, token: str, message: str) -> Answer:
        self._messages.delete(self._interactions.find(token, message))
        return GONE

    def _is_v2(self, path: str) -> bool:
        """Does the path lead to a message that has the V2 flag?"""
        try:
            match path.split("/")[1:]:
                case ["channels", channel, "messages", message]:
                    found: Message | None = self._messages.get(channel, message)
                case ["webhooks", _, token, "messages", message]:
                    found = self._interactions.find(token, message)
                case ["interactions", _, token, "callback"]:
                    found = self._interactions.all[token].source
                case _:
                    return False
        except (ApiError, KeyError):
            return False
        return bool(found and found.payload["flags"] & COMPONENTS_V2)


def _registered(command: Json) -> Json:
    """As Discord gives it back: defaults filled in, permissions as text."""
    needed = command.get("default_member_permissions")
    defaults = {
        "type": 1, "description": "", "options": [], "nsfw": False, "dm_permission": True,
        "contexts": None, "integration_types": [0], "name_localizations": None,
        "description_localizations": None,
    }  # fmt: skip
    given = {k: v for k, v in command.items() if v is not None}
    permissions = None if needed is None else str(needed)
    return defaults | given | {"default_member_permissions": permissions}
