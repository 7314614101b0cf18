"""What exists in the local Discord: people, guilds, channels, commands. Kept as Discord's JSON."""

from collections.abc import Callable
from typing import Any

from tests.discord_local.clock import Clock, Pulse
from tests.discord_local.errors import ApiError

Json = dict[str, Any]

# Permission bits.
ADMINISTRATOR = 1 << 3
MANAGE_GUILD = 1 << 5
VIEW_CHANNEL = 1 << 10
SEND_MESSAGES = 1 << 11
READ_HISTORY = 1 << 16
CREATE_PUBLIC_THREADS = 1 << 35
SEND_IN_THREADS = 1 << 38
ADD_REACTIONS = 1 << 6
EVERYONE = (
    VIEW_CHANNEL | SEND_MESSAGES | READ_HISTORY | CREATE_PUBLIC_THREADS | SEND_IN_THREADS
    | ADD_REACTIONS | 1 << 14 | 1 << 15 | 1 << 18 | 1 << 31
)  # fmt: skip
ALL = (1 << 53) - 1

# Channel types.
TEXT, DM, CATEGORY, PUBLIC_THREAD, PRIVATE_THREAD = 0, 1, 4, 11, 12
THREADS = (PUBLIC_THREAD, PRIVATE_THREAD)


class World:
    """`emit(event, data, guild_id)` carries a change to the gateway."""

    def __init__(self, clock: Clock, pulse: Pulse) -> None:
        self.clock, self.pulse = clock, pulse
        self.emit: Callable[[str, Json, str | None], None] = lambda *_: None
        self.users: dict[str, Json] = {}
        self.guilds: dict[str, Json] = {}
        self.channels: dict[str, Json] = {}
        self.commands: dict[str | None, list[Json]] = {}
        self.bot = self.add_user("youju", bot=True)
        self.application_id = clock.snowflake()

    # people

    def add_user(self, name: str, bot: bool = False) -> Json:
        user: Json = {
            "id": self.clock.snowflake(), "username": name, "discriminator": "0",
            "global_name": None if bot else name, "avatar": None, "bot": bot, "public_flags": 0,
        }  # fmt: skip
        self.users[user["id"]] = user
        return user

    def join(self, user: Json, guild: Json, roles: list[str] | None = None) -> None:
        guild["members"].append({
            "user": user, "nick": None, "avatar": None, "roles": roles or [], "flags": 0,
            "joined_at": self.clock.iso(), "deaf": False, "mute": False,
        })  # fmt: skip

    def member(self, guild_id: str, user_id: str) -> Json:
        for member in self.guilds[guild_id]["members"]:
            if member["user"]["id"] == user_id:
                return dict(member)
        raise ApiError(10007)

    # places

    def add_guild(self, name: str, locale: str = "zh-TW") -> Json:
        # Shards are told apart by the bits above 22, so that two guilds fall on two shards.
        guild_id = str((1_000_000_000 + len(self.guilds)) << 22)
        guild: Json = {
            "id": guild_id, "name": name, "owner_id": self.add_user(f"{name}-owner")["id"],
            "preferred_locale": locale, "features": [], "emojis": [], "stickers": [],
            "roles": [], "channels": [], "threads": [], "members": [], "voice_states": [],
            "presences": [], "stage_instances": [], "guild_scheduled_events": [],
            "verification_level": 0, "default_message_notifications": 1, "nsfw_level": 0,
            "explicit_content_filter": 0, "mfa_level": 0, "premium_tier": 0, "afk_timeout": 300,
            "system_channel_flags": 0, "large": False, "unavailable": False,
        }  # fmt: skip
        self.guilds[guild_id] = guild
        self.add_role(guild, "@everyone", EVERYONE, role_id=guild_id)
        bot_role = self.add_role(guild, "youju", EVERYONE)
        self.join(self.bot, guild, [bot_role["id"]])
        return guild

    def add_role(
        self, guild: Json, name: str, permissions: int = 0, role_id: str | None = None
    ) -> Json:
        role = {
            "id": role_id or self.clock.snowflake(), "name": name, "color": 0, "hoist": False,
            "colors": {"primary_color": 0, "secondary_color": None, "tertiary_color": None},
            "position": len(guild["roles"]), "permissions": str(permissions), "managed": False,
            "mentionable": True, "flags": 0, "icon": None, "unicode_emoji": None,
        }  # fmt: skip
        guild["roles"].append(role)
        self.emit("GUILD_ROLE_CREATE", {"guild_id": guild["id"], "role": role}, guild["id"])
        return role

    def add_channel(
        self, guild: Json, name: str, parent: str | None = None, kind: int = TEXT
    ) -> Json:
        channel = {
            "id": self.clock.snowflake(), "type": kind, "guild_id": guild["id"], "name": name,
            "position": len(guild["channels"]), "permission_overwrites": [], "nsfw": False,
            "topic": None, "parent_id": parent, "last_message_id": None, "flags": 0,
            "rate_limit_per_user": 0,
        }  # fmt: skip
        guild["channels"].append(channel)
        return self._open("CHANNEL_CREATE", channel)

    def add_thread(
        self, parent: Json, name: str, owner: str, *, thread_id: str | None = None,
        kind: int = PUBLIC_THREAD, archive_minutes: int = 1440,
    ) -> Json:  # fmt: skip
        thread = {
            "id": thread_id or self.clock.snowflake(), "type": kind, "name": name,
            "guild_id": parent["guild_id"], "parent_id": parent["id"], "owner_id": owner,
            "message_count": 0, "member_count": 1, "total_message_sent": 0, "flags": 0,
            "rate_limit_per_user": 0, "last_message_id": None, "applied_tags": [],
            "thread_metadata": {
                "archived": False, "locked": False, "auto_archive_duration": archive_minutes,
                "archive_timestamp": self.clock.iso(), "create_timestamp": self.clock.iso(),
            },
            "member": {
                "id": thread_id, "user_id": owner, "join_timestamp": self.clock.iso(), "flags": 0,
            },
        }  # fmt: skip
        thread["member"]["id"] = thread["id"]
        self.guilds[parent["guild_id"]]["threads"].append(thread)
        return self._open("THREAD_CREATE", thread)

    def dm(self, user_id: str) -> Json:
        """The direct channel of the bot with this person."""
        if user_id not in self.users:
            raise ApiError(10013)
        for channel in self.channels.values():
            if channel["type"] == DM and channel["recipients"][0]["id"] == user_id:
                return channel
        channel = {
            "id": self.clock.snowflake(), "type": DM, "last_message_id": None, "flags": 0,
            "recipients": [self.users[user_id]],
        }  # fmt: skip
        return self._open("CHANNEL_CREATE", channel)

    def _open(self, event: str, channel: Json) -> Json:
        self.channels[channel["id"]] = channel
        self.emit(event, channel, channel.get("guild_id"))
        return channel

    def channel(self, channel_id: str) -> Json:
        if channel_id not in self.channels:
            raise ApiError(10003)
        return self.channels[channel_id]

    def delete_channel(self, channel_id: str) -> Json:
        channel = self.channel(channel_id)
        del self.channels[channel_id]
        if channel["type"] == DM:
            return channel
        guild = self.guilds[channel["guild_id"]]
        place = "threads" if channel["type"] in THREADS else "channels"
        guild[place] = [c for c in guild[place] if c["id"] != channel_id]
        event = "THREAD_DELETE" if channel["type"] in THREADS else "CHANNEL_DELETE"
        self.emit(event, channel, channel["guild_id"])
        return channel

    # permissions

    def permissions(self, user_id: str, channel: Json) -> int:
        """What this person may do there: roles first, then the channel's overwrites."""
        if channel["type"] == DM:
            return EVERYONE
        guild = self.guilds[channel["guild_id"]]
        if user_id == guild["owner_id"]:
            return ALL
        held = {guild["id"], *self.member(guild["id"], user_id)["roles"]}
        bits = 0
        for role in guild["roles"]:
            bits |= int(role["permissions"]) if role["id"] in held else 0
        return ALL if bits & ADMINISTRATOR else self._overwritten(bits, channel, held, user_id)

    def _overwritten(self, bits: int, channel: Json, held: set[str], user_id: str) -> int:
        if channel["type"] in THREADS:
            channel = self.channels.get(channel["parent_id"], {})
        for overwrite in channel.get("permission_overwrites", ()):
            if overwrite["id"] in held | {user_id}:
                bits = bits & ~int(overwrite["deny"]) | int(overwrite["allow"])
        return bits

    def deny(self, channel: Json, user_id: str, bits: int) -> None:
        """Take permissions away from one person (or the bot) in one channel."""
        channel["permission_overwrites"].append(
            {"id": user_id, "type": 1, "allow": "0", "deny": str(bits)}
        )
        self.emit("CHANNEL_UPDATE", channel, channel["guild_id"])

    def need(self, channel: Json, bits: int) -> None:
        """Raise as Discord would when the bot lacks a permission."""
        held = self.permissions(self.bot["id"], channel)
        if not held & VIEW_CHANNEL:
            raise ApiError(50001)
        if bits & ~held:
            raise ApiError(50013)
