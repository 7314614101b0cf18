"""Whom a message could really ping.

The worst case is counted: the bot may mention everyone, and markdown, code blocks and
backslashes hide nothing. Embeds never ping.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

Json = dict[str, Any]

TEXT_DISPLAY = 10


@dataclass(frozen=True, slots=True)
class Pings:
    everyone: bool = False
    users: frozenset[str] = frozenset()
    roles: frozenset[str] = frozenset()

    def __len__(self) -> int:
        return self.everyone + len(self.users) + len(self.roles)

    def __or__(self, other: "Pings") -> "Pings":
        return Pings(
            self.everyone or other.everyone, self.users | other.users, self.roles | other.roles
        )


def pings(body: Json, replied_to: str | None, users: Iterable[str], roles: Iterable[str]) -> Pings:
    """Who is pinged by `body`, sent where `users` and `roles` exist."""
    text, allowed = "\n".join(mentionable_text(body)), body.get("allowed_mentions")
    kinds = ("everyone", "users", "roles") if allowed is None else allowed.get("parse") or ()
    named_users = set(re.findall(r"<@!?(\d+)>", text)) & set(users)
    named_roles = set(re.findall(r"<@&(\d+)>", text)) & set(roles)
    if "users" not in kinds:
        named_users &= _ids(allowed, "users")
    if "roles" not in kinds:
        named_roles &= _ids(allowed, "roles")
    if replied_to and (allowed is None or allowed.get("replied_user")):
        named_users.add(replied_to)
    everyone = "everyone" in kinds and bool(re.search(r"@(everyone|here)", text))
    return Pings(everyone, frozenset(named_users), frozenset(named_roles))


def _ids(allowed: Json | None, key: str) -> set[str]:
    return {str(i) for i in (allowed or {}).get(key) or ()}


def mentionable_text(body: Json) -> Iterator[str]:
    """The parts of a message in which Discord looks for mentions."""
    if body.get("content"):
        yield body["content"]
    for component in walk(body.get("components")):
        if component.get("type") == TEXT_DISPLAY:
            yield component["content"]


def walk(components: Iterable[Json] | None) -> Iterator[Json]:
    """Every component, parents first, in the order in which it is shown."""
    for component in components or ():
        yield component
        yield from walk(component.get("components"))
        for key in ("accessory", "component"):
            if component.get(key):
                yield from walk([component[key]])
