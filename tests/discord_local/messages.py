"""The messages of the local Discord: created, edited, deleted, with their whole history."""

import copy
from collections.abc import Iterator
from dataclasses import dataclass, field

from tests.discord_local.errors import ApiError
from tests.discord_local.pings import Pings, pings, walk
from tests.discord_local.world import THREADS, Json, World

# Message flags.
EPHEMERAL, LOADING, HAS_THREAD, COMPONENTS_V2 = 1 << 6, 1 << 7, 1 << 5, 1 << 15
EDITABLE = ("content", "embeds", "components", "flags", "attachments")
SHOWN = ("content", "embeds", "components", "attachments", "poll", "sticker_ids", "sticker_items")


@dataclass
class Message:
    """`only_for` is the one person who sees it (ephemeral), None when everyone does."""

    payload: Json
    only_for: str | None = None
    pings: Pings = field(default_factory=Pings)
    deleted: bool = False
    history: list[Json] = field(default_factory=list)

    @property
    def id(self) -> str:
        return str(self.payload["id"])

    @property
    def channel_id(self) -> str:
        return str(self.payload["channel_id"])

    @property
    def loading(self) -> bool:
        return bool(self.payload["flags"] & LOADING)


class Messages:
    def __init__(self, world: World) -> None:
        self._world = world
        self._all: dict[str, Message] = {}

    def __iter__(self) -> Iterator[Message]:
        return iter(list(self._all.values()))

    def get(self, channel_id: str, message_id: str) -> Message:
        self._world.channel(channel_id)
        message = self._all.get(message_id)
        if message is None or message.deleted or message.channel_id != channel_id:
            raise ApiError(10008)
        return message

    def create(
        self, channel_id: str, author_id: str, body: Json, *,
        kind: int = 0, flags: int = 0, only_for: str | None = None, extra: Json | None = None,
    ) -> Message:  # fmt: skip
        """A new message. `flags` are added to those of the body."""
        channel, world = self._world.channel(channel_id), self._world
        if not flags & LOADING and not any(body.get(k) for k in SHOWN):
            raise ApiError(50006)
        replied = self._replied_to(channel, body.get("message_reference"))
        payload: Json = {
            "id": world.clock.snowflake(), "channel_id": channel_id, "type": kind,
            "author": world.users[author_id], "timestamp": world.clock.iso(),
            "edited_timestamp": None, "tts": False, "pinned": False, "mention_everyone": False,
            "mentions": [], "mention_roles": [], "content": "", "embeds": [], "components": [],
            "attachments": [], "flags": flags, "nonce": body.get("nonce"),
        }  # fmt: skip
        payload |= {k: copy.deepcopy(body[k]) for k in EDITABLE if body.get(k) is not None}
        payload["flags"] |= flags
        payload |= self._reference(channel, body, replied) | (extra or {})
        message = Message(payload, only_for)
        self._settle(message, body, replied)
        self._all[message.id] = message
        channel["last_message_id"] = message.id
        self._tell("MESSAGE_CREATE", message)
        return message

    def edit(self, message: Message, body: Json) -> Message:
        """Changes what the body names; a message that was "thinking" becomes a real one."""
        message.history.append(copy.deepcopy(message.payload))
        merged = message.payload | {k: copy.deepcopy(body[k]) for k in EDITABLE if k in body}
        merged = {k: _emptied(k, v) for k, v in merged.items()}
        was = message.payload["flags"]
        merged["flags"] = (merged["flags"] | was) & ~LOADING
        if not any(merged.get(k) for k in SHOWN):
            raise ApiError(50006)
        if not was & LOADING:
            merged["edited_timestamp"] = self._world.clock.iso()
        message.payload = merged
        self._settle(message, body, None)
        self._tell("MESSAGE_UPDATE", message)
        return message

    def delete(self, message: Message) -> None:
        message.deleted = True
        where = {"id": message.id, "channel_id": message.channel_id}
        self._send("MESSAGE_DELETE", message, where)

    # the parts of a message that Discord works out

    def _settle(self, message: Message, body: Json, replied: Message | None) -> None:
        payload, world = message.payload, self._world
        for number, component in enumerate(walk(payload["components"]), start=1):
            if not component.get("id"):
                component["id"] = number
        replied_to = replied.payload["author"]["id"] if replied else None
        guild = world.guilds.get(world.channel(message.channel_id).get("guild_id", ""))
        roles = [r["id"] for r in guild["roles"]] if guild else []
        found = pings(body, replied_to, world.users, roles)
        if message.only_for is None:
            message.pings |= found
        payload["mentions"] = [world.users[u] for u in sorted(found.users)]
        payload["mention_roles"] = sorted(found.roles)
        payload["mention_everyone"] = found.everyone

    def _replied_to(self, channel: Json, reference: Json | None) -> Message | None:
        if not reference or reference.get("type") == 1:
            return None
        message = self._all.get(str(reference["message_id"]))
        if message and not message.deleted and message.channel_id == channel["id"]:
            return message
        if reference.get("fail_if_not_exists", True):
            raise ApiError(50035)
        return None

    def _reference(self, channel: Json, body: Json, replied: Message | None) -> Json:
        if not body.get("message_reference"):
            return {}
        reference = {"type": 0, "channel_id": channel["id"]}
        reference["message_id"] = str(body["message_reference"]["message_id"])
        if "guild_id" in channel:
            reference["guild_id"] = channel["guild_id"]
        known = {"type": 19, "message_reference": reference, "referenced_message": None}
        return known | ({"referenced_message": replied.payload} if replied else {})

    # telling

    def _tell(self, event: str, message: Message) -> None:
        self._send(event, message, dict(message.payload))

    def _send(self, event: str, message: Message, data: Json) -> None:
        channel = self._world.channels.get(message.channel_id, {})
        guild_id = channel.get("guild_id")
        if guild_id:
            data["guild_id"] = guild_id
        if guild_id and "author" in data:
            member = self._world.member(guild_id, data["author"]["id"])
            data["member"] = {k: v for k, v in member.items() if k != "user"}
        if channel.get("type") in THREADS and event == "MESSAGE_CREATE":
            channel["message_count"] += 1
        if message.only_for is None:
            self._world.emit(event, data, guild_id)
        self._world.pulse.beat()


def _emptied(key: str, value: object) -> object:
    """None in an edit means: nothing of it any more."""
    if value is None and key in ("embeds", "components", "attachments"):
        return []
    return {"content": "", "flags": 0}.get(key) if value is None and key in EDITABLE else value
