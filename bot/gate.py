"""Who may ask and who may moderate. Discord is told as well, but only this decides."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import discord

from bot.access import Rules
from bot.errors import NotModerator, NotServedHere
from bot.memory import AccessRow
from bot.settings import BotSettings
from bot.views import Interaction


@dataclass(frozen=True, slots=True)
class Place:
    """Where someone acts: the ids of thread, channel and category, and the roles of the person."""

    guild: int | None
    ids: frozenset[int]
    roles: frozenset[int]

    @classmethod
    def of_interaction(cls, interaction: Interaction) -> "Place":
        ids = frozenset(_ids(interaction.channel))
        return cls(interaction.guild_id, ids, _roles(interaction.user))

    @classmethod
    def of_message(cls, message: discord.Message) -> "Place":
        guild = message.guild.id if message.guild else None
        return cls(guild, frozenset(_ids(message.channel)), _roles(message.author))


class Gate:
    def __init__(self, settings: BotSettings, rows: Sequence[AccessRow] = ()) -> None:
        self._settings = settings
        self._rules = Rules(
            settings.allow_channels,
            settings.deny_channels,
            settings.allow_roles,
            settings.deny_roles,
        )
        self.rows = list(rows)

    def serves(self, place: Place) -> bool:
        """Whether a person is served in a place."""
        if place.guild is None:
            return self._settings.direct_messages
        rows = [row for row in self.rows if row.guild == place.guild]
        return self._rules.with_rows(rows).allow(place.ids, place.roles)

    def check_served(self, place: Place) -> None:
        if not self.serves(place):
            raise NotServedHere

    def moderates(self, interaction: Interaction) -> bool:
        """Manage Server or a configured role, as Discord says it at this very act."""
        if interaction.guild_id is None:
            return False
        if interaction.permissions.manage_guild or interaction.permissions.administrator:
            return True
        return not self._settings.moderator_roles.isdisjoint(_roles(interaction.user))

    def check_moderates(self, interaction: Interaction) -> None:
        if not self.moderates(interaction):
            raise NotModerator


def _roles(user: Any) -> frozenset[int]:
    """The ids of a member's roles, also of those that the cache does not know."""
    return frozenset(getattr(user, "_roles", ())) | frozenset(
        role.id for role in getattr(user, "roles", ())
    )


def _ids(channel: Any) -> set[int]:
    """A channel's own id, its parent's, its category's."""
    found = {getattr(channel, name, None) for name in ("id", "parent_id", "category_id")}
    return {ident for ident in found if ident is not None}
