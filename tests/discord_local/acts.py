"""What Discord's own client sends for an act: options of a command, fields of a modal.

It refuses what that client would not let a member send, with an AssertionError.
"""

from collections.abc import Iterator
from typing import Any

from tests.discord_local.pings import walk
from tests.discord_local.world import ADMINISTRATOR, Json, World

CHAT_INPUT, USER_MENU, MESSAGE_MENU = 1, 2, 3
SUBCOMMAND, GROUP, STRING, INTEGER, BOOLEAN, USER, CHANNEL, ROLE, MENTIONABLE, NUMBER = range(1, 11)
TEXT_INPUT, STRING_SELECT = 4, 3
OPTION_OF_SELECT = {5: USER, 6: ROLE, 7: MENTIONABLE, 8: CHANNEL}
PYTHON_TYPES: dict[int, Any] = {STRING: str, INTEGER: int, BOOLEAN: bool, NUMBER: (int, float)}


def find_command(world: World, guild_id: str | None, kind: int, name: str, locale: str) -> Json:
    """By its name or by the name that this locale is shown; a guild's own come first."""
    known = [c for scope in (guild_id, None) for c in world.commands.get(scope, ())]
    for command in known:
        if command["type"] == kind and name in (command["name"], shown_name(command, locale)):
            return command
    names = sorted({c["name"] for c in known if c["type"] == kind})
    raise AssertionError(f"no command {name!r}; the bot registered {names}")


def shown_name(thing: Json, locale: str) -> str:
    return str((thing.get("name_localizations") or {}).get(locale, thing["name"]))


def check_visible(command: Json, permissions: int, in_guild: bool) -> None:
    """Discord shows a command only to those who hold its default permissions."""
    needed = int(command.get("default_member_permissions") or 0)
    if in_guild and needed & ~permissions and not permissions & ADMINISTRATOR:
        raise AssertionError(f"/{command['name']} is hidden from this member (force=True shows it)")
    contexts = command.get("contexts")
    in_dm = command.get("dm_permission", True) if contexts is None else 1 in contexts
    if not in_guild and not in_dm:
        raise AssertionError(f"/{command['name']} is not offered in direct messages")


def command_data(world: World, command: Json, path: list[str], values: Json) -> Json:
    """The `data` of a slash command. `path` names the subcommand, if there is one."""
    data = {"id": command["id"], "name": command["name"], "type": CHAT_INPUT}
    if "guild_id" in command:
        data["guild_id"] = command["guild_id"]
    resolved: Json = {}
    options = _options(world, command, path, values, resolved)
    return data | {"options": options} | ({"resolved": resolved} if resolved else {})


def _options(world: World, node: Json, path: list[str], values: Json, resolved: Json) -> list[Json]:
    offered = {option["name"]: option for option in node.get("options") or ()}
    if path:
        assert path[0] in offered, f"no subcommand {path[0]!r}, only {sorted(offered)}"
        inner = offered[path[0]]
        chosen = _options(world, inner, path[1:], values, resolved)
        return [{"name": inner["name"], "type": inner["type"], "options": chosen}]
    kinds = {option["type"] for option in offered.values()}
    assert not kinds & {SUBCOMMAND, GROUP}, f"choose one of the subcommands {sorted(offered)}"
    unknown, missing = values.keys() - offered.keys(), set(_required(node)) - values.keys()
    assert not unknown, f"no option {sorted(unknown)}, only {sorted(offered)}"
    assert not missing, f"the options {sorted(missing)} are required"
    return [_option(world, offered[name], value, resolved) for name, value in values.items()]


def _required(node: Json) -> Iterator[str]:
    yield from (o["name"] for o in node.get("options") or () if o.get("required"))


def _option(world: World, option: Json, value: Any, resolved: Json) -> Json:
    name, kind = option["name"], option["type"]
    if kind in PYTHON_TYPES:
        assert isinstance(value, PYTHON_TYPES[kind]), f"{name}: {value!r} has the wrong type"
        _check_bounds(option, value)
    elif kind in (USER, CHANNEL, ROLE, MENTIONABLE):
        value = _resolve(world, kind, str(value), resolved)
    return {"name": name, "type": kind, "value": value}


def _check_bounds(option: Json, value: Any) -> None:
    choices = [choice["value"] for choice in option.get("choices") or ()]
    assert not choices or value in choices, f"{option['name']}: {value!r} is none of {choices}"
    size = len(value) if isinstance(value, str) else value
    for low, high in (("min_length", "max_length"), ("min_value", "max_value")):
        if isinstance(value, str) == low.endswith("length"):
            assert option.get(low) is None or size >= option[low], f"{option['name']} is too short"
            assert option.get(high) is None or size <= option[high], f"{option['name']} is too long"


def _resolve(world: World, kind: int, value: str, resolved: Json) -> str:
    if kind in (USER, MENTIONABLE) and value in world.users:
        resolved.setdefault("users", {})[value] = world.users[value]
    elif kind == CHANNEL:
        channel = world.channel(value)
        resolved.setdefault("channels", {})[value] = channel | {"permissions": "0"}
    else:
        roles = [r for g in world.guilds.values() for r in g["roles"] if r["id"] == value]
        assert roles, f"no such person, role or channel: {value}"
        resolved.setdefault("roles", {})[value] = roles[0]
    return value


def select_data(world: World, select: Json, values: tuple[str, ...]) -> Json:
    """The `data` of a choice: ids of people, roles and channels come with what they stand for."""
    low, high = select.get("min_values", 1), select.get("max_values", 1)
    assert low <= len(values) <= high, f"{len(values)} chosen, {low} to {high} are allowed"
    data = {"custom_id": select["custom_id"], "component_type": select["type"]}
    data["values"] = list(values)
    if select["type"] != STRING_SELECT:
        data["resolved"] = {}
        for value in values:
            _resolve(world, OPTION_OF_SELECT[select["type"]], value, data["resolved"])
    return data


def modal_data(payload: Json, values: dict[str, Any]) -> Json:
    """The `data` of a submitted modal; what `values` leaves out stays as it was pre-filled."""
    known = {c["custom_id"] for c in walk(payload["components"]) if "custom_id" in c}
    unknown = values.keys() - known
    assert not unknown, f"the modal has no field {sorted(unknown)}, only {sorted(known)}"
    rows = [_submitted(component, values) for component in payload["components"]]
    return {"custom_id": payload["custom_id"], "components": rows}


def _submitted(component: Json, values: dict[str, Any]) -> Json:
    told = {"type": component["type"], "id": component.get("id", 0)}
    if "component" in component:
        return told | {"component": _submitted(component["component"], values)}
    if "components" in component:
        return told | {"components": [_submitted(c, values) for c in component["components"]]}
    if "custom_id" not in component:
        return told
    told["custom_id"] = component["custom_id"]
    given = values.get(component["custom_id"])
    if component["type"] == TEXT_INPUT:
        return told | {"value": _typed(component, given)}
    return told | {"values": [given] if isinstance(given, str) else list(given or ())}


def _typed(component: Json, given: str | None) -> str:
    text = component.get("value") or "" if given is None else given
    name = component["custom_id"]
    assert text or not component.get("required", True), f"{name} is required"
    assert not text or len(text) >= (component.get("min_length") or 0), f"{name} is too short"
    assert len(text) <= (component.get("max_length") or 4000), f"{name} is too long"
    return text
