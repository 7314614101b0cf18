"""The rules for slash commands that Discord's OpenAPI file does not state."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.discord_local.limits import units

Json = dict[str, Any]

CHAT_INPUT, SUBCOMMAND, GROUP = 1, 1, 2
LOCALES = {
    "id", "da", "de", "en-GB", "en-US", "es-ES", "es-419", "fr", "hr", "it", "lt", "hu", "nl", "no",
    "pl", "pt-BR", "ro", "fi", "sv-SE", "vi", "tr", "cs", "el", "bg", "ru", "uk", "hi", "th",
    "zh-CN", "ja", "zh-TW", "ko",
}  # fmt: skip
NAME = re.compile(r"[-_'\w]{1,32}")


def command_problems(commands: list[Json]) -> Iterator[str]:
    """A whole scope at once, or a list of one."""
    for kind in {c.get("type") or CHAT_INPUT for c in commands}:
        same = [c for c in commands if (c.get("type") or CHAT_INPUT) == kind]
        if len(same) > (100 if kind == CHAT_INPUT else 15):
            yield f"{len(same)} commands of type {kind}"
        yield from _twice("command", same)
    for command in commands:
        yield from _one_command(command)


def _one_command(command: Json) -> Iterator[str]:
    where = f"command {command.get('name')!r}"
    yield from _locale_problems(where, command)
    if (command.get("type") or CHAT_INPUT) != CHAT_INPUT:
        if command.get("description") or command.get("options"):
            yield f"{where} is a context menu with a description or options"
        return
    if not command.get("description"):
        yield f"{where} has no description"
    if _size(command) > 8000:
        yield f"{where} has {_size(command)} characters in all, the limit is 8000"
    yield from _name_problems(where, command)
    yield from _option_problems(where, command.get("options") or [])


def _option_problems(where: str, options: list[Json]) -> Iterator[str]:
    yield from _twice(f"{where}: option", options)
    asked = [bool(o.get("required")) for o in options]
    if asked != sorted(asked, reverse=True):
        yield f"{where}: a required option stands behind an optional one"
    if len({o.get("type") in (SUBCOMMAND, GROUP) for o in options}) > 1:
        yield f"{where}: subcommands beside options"
    for option in options:
        place = f"{where} {option.get('name')!r}"
        yield from _locale_problems(place, option)
        yield from _name_problems(place, option)
        if not option.get("description"):
            yield f"{place} has no description"
        choices = option.get("choices") or []
        yield from _twice(f"{place}: choice", choices)
        for choice in choices:
            yield from _locale_problems(f"{place} {choice.get('name')!r}", choice)
        yield from _option_problems(place, option.get("options") or [])


def _name_problems(where: str, thing: Json) -> Iterator[str]:
    names = [thing.get("name") or "", *(thing.get("name_localizations") or {}).values()]
    for name in names:
        if not NAME.fullmatch(name) or name != name.lower():
            yield f"{where}: the name {name!r} is not of lower-case letters, digits, - and _"


def _locale_problems(where: str, thing: Json) -> Iterator[str]:
    for key in ("name_localizations", "description_localizations"):
        for locale in (thing.get(key) or {}).keys() - LOCALES:
            yield f"{where}: Discord has no locale {locale!r}"


def _twice(what: str, things: list[Json]) -> Iterator[str]:
    names = Counter(thing.get("name") for thing in things)
    yield from (f"{what} {name!r} is there {n} times" for name, n in names.items() if n > 1)


def _size(command: Json) -> int:
    """Names, descriptions and values; of the translations the longest counts."""
    total = 0
    for key in ("name", "description"):
        told = [command.get(key) or "", *(command.get(f"{key}_localizations") or {}).values()]
        total += max(units(text) for text in told)
    total += units(command["value"]) if isinstance(command.get("value"), str) else 0
    parts = (command.get("options") or []) + (command.get("choices") or [])
    return total + sum(_size(part) for part in parts)
