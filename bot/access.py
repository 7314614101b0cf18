"""Who is served where: allow and deny lists of channels, categories and roles."""

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from bot.memory import AccessRow

Ids = frozenset[int]
_NONE: Ids = frozenset()


@dataclass(frozen=True, slots=True)
class Rules:
    """A deny wins; where something is allowed by name, all else is denied.

    `channels` also hold categories and threads: a place is named by any of its ids.
    """

    allow_channels: Ids = _NONE
    deny_channels: Ids = _NONE
    allow_roles: Ids = _NONE
    deny_roles: Ids = _NONE

    def allow(self, place: Collection[int], roles: Collection[int]) -> bool:
        """`place`: the ids of thread, channel and category; `roles`: those of the asker."""
        if not self.deny_channels.isdisjoint(place) or not self.deny_roles.isdisjoint(roles):
            return False
        if self.allow_channels and self.allow_channels.isdisjoint(place):
            return False
        return not self.allow_roles or not self.allow_roles.isdisjoint(roles)

    def with_rows(self, rows: Iterable[AccessRow]) -> "Rules":
        """These rules and those that moderators set in a server."""
        rows = list(rows)

        def named(kind: str, rule: str) -> Ids:
            return frozenset(r.target for r in rows if (r.kind, r.rule) == (kind, rule))

        return Rules(
            self.allow_channels | named("channel", "allow"),
            self.deny_channels | named("channel", "deny"),
            self.allow_roles | named("role", "allow"),
            self.deny_roles | named("role", "deny"),
        )
