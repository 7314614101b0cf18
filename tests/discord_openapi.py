"""Is a request what Discord would take? Its own OpenAPI file, and the rules that the file lacks.

The file lies beside the repository, not in it; without it only the second half is checked.
"""

import functools
import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, ValidationError  # type: ignore[import-untyped]
from jsonschema.validators import extend  # type: ignore[import-untyped]
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from tests.discord_local.command_limits import command_problems
from tests.discord_local.limits import component_problems, message_problems, units
from tests.discord_local.pings import walk

Json = dict[str, Any]

FILE = Path(__file__).parents[1].parent / "shared" / "discord" / "discord-api-openapi.json"
HERE = "urn:discord"
# Discord takes these although the file leaves them out: discord.py sends them with every command
# and every edit.
UNLISTED = {"nsfw", "tts"}


@dataclass
class Tally:
    """Requests of the whole test run, without those of servers that expect rejections."""

    validated: int = 0
    rejected: int = 0


TALLY = Tally()


def problems(
    method: str, path: str, query: Mapping[str, str], body: Any, *, v2_before: bool = False
) -> list[str]:
    """What is wrong with the form of this request to /api/v10`path`."""
    found = list(_unstated_problems(method, path, body, v2_before))
    document = openapi()
    if document:
        found += document.problems(method, path, query, body)
    return found


# The rules that the file lacks.

MESSAGE_CREATE = re.compile(r"POST (/channels/\d+/messages|/webhooks/\d+/[^/]+)")
MESSAGE_EDIT = re.compile(r"PATCH (/channels/\d+|/webhooks/\d+/[^/]+)/messages/[^/]+")
CALLBACK = re.compile(r"POST /interactions/\d+/[^/]+/callback")
COMMANDS = re.compile(r"(PUT|POST|PATCH) /applications/\d+(/guilds/\d+)?/commands(/\d+)?")
NAMED = re.compile(r"POST /channels/\d+(/messages/\d+)?/threads|PATCH /channels/\d+")


def _unstated_problems(method: str, path: str, body: Any, v2_before: bool) -> Iterator[str]:
    route = f"{method} {path}"
    if body is None:
        return
    if MESSAGE_CREATE.fullmatch(route):
        yield from message_problems(body, edit=False)
    elif MESSAGE_EDIT.fullmatch(route):
        yield from message_problems(body, edit=True, v2_before=v2_before)
    elif CALLBACK.fullmatch(route):
        yield from _callback_problems(body, v2_before)
    elif COMMANDS.fullmatch(route):
        yield from command_problems(body if isinstance(body, list) else [body])
    elif NAMED.fullmatch(route) and "name" in body and not 1 <= units(body["name"]) <= 100:
        yield f"the name has {units(body['name'])} characters, 1 to 100 are allowed"


def _callback_problems(body: Json, v2_before: bool) -> Iterator[str]:
    kind, data = body.get("type"), body.get("data") or {}
    if kind == 4:
        yield from message_problems(data, edit=False)
    elif kind == 7:
        yield from message_problems(data, edit=True, v2_before=v2_before)
    elif kind == 9:
        yield from component_problems(list(walk(data.get("components"))))
        if units(data.get("title") or "") > 45:
            yield "the title of the modal is longer than 45"


# Discord's own file.


@functools.cache
def openapi() -> "OpenApi | None":
    return OpenApi(json.loads(FILE.read_text("utf-8"))) if FILE.exists() else None


class OpenApi:
    def __init__(self, document: Json) -> None:
        document = _prepared(document)
        resource = Resource.from_contents(document, default_specification=DRAFT202012)
        registry: Registry[Any] = Registry().with_resource(HERE, resource)
        self._paths: Json = document["paths"]
        self._schemas = document
        unions = {name: self._union(name) for name in ("oneOf", "anyOf")}
        self._any = extend(Draft202012Validator, unions)({}, registry=registry)
        self._patterns: list[tuple[re.Pattern[str], str]] = [
            (re.compile(_as_pattern(p)), p) for p in sorted(self._paths, key=_order)
        ]

    def problems(
        self, method: str, path: str, query: Mapping[str, str], body: Any
    ) -> Iterator[str]:
        template = self._template(method, path)
        if template is None:
            yield f"{method} {path} is no route of Discord"
            return
        operation = self._paths[template][method.lower()]
        known = {p.get("name") for p in operation.get("parameters", ()) if p.get("in") == "query"}
        yield from (f"unknown query parameter {q!r}" for q in query.keys() - known)
        schema = self._schema(template, method)
        if schema is None:
            return
        if body is None:
            if operation["requestBody"].get("required"):
                yield "the body is missing"
            return
        yield from self._body_problems(schema, body)

    def _template(self, method: str, path: str) -> str | None:
        for pattern, template in self._patterns:
            if pattern.fullmatch(path) and method.lower() in self._paths[template]:
                return template
        return None

    def _schema(self, template: str, method: str) -> Json | None:
        content = self._paths[template][method.lower()].get("requestBody", {}).get("content", {})
        schema: Json | None = content.get("application/json", {}).get("schema")
        return schema

    def _body_problems(self, schema: Json, body: Any) -> Iterator[str]:
        errors = list(self._any.evolve(schema=schema).iter_errors(body))
        yield from (_told(_meant(error)) for error in errors)
        if not errors:
            yield from self._unknown_fields([schema], body, "body")

    def _unknown_fields(self, schemas: list[Json], value: Any, where: str) -> Iterator[str]:
        """Fields that none of the schemas names which fit the value."""
        fitting = [s for schema in schemas for s in self._fitting(schema, value)]
        if isinstance(value, list):
            items = [s["items"] for s in fitting if "items" in s]
            for i, item in enumerate(value):
                yield from self._unknown_fields(items, item, f"{where}[{i}]")
        if not isinstance(value, dict) or any("additionalProperties" in s for s in fitting):
            return
        for key, inner in value.items():
            known = [s["properties"][key] for s in fitting if key in s.get("properties", {})]
            if known:
                yield from self._unknown_fields(known, inner, f"{where}.{key}")
            elif fitting and key not in UNLISTED:
                yield f"{where}.{key} is unknown to Discord"

    def _fitting(self, schema: Json, value: Any) -> Iterator[Json]:
        """The schema and those that it refers to, as far as the value fits them."""
        if "$ref" in schema:
            yield from self._fitting(self._resolve(schema["$ref"]), value)
            return
        yield schema
        for part in schema.get("allOf", ()):
            yield from self._fitting(part, value)
        union = schema.get("oneOf") or schema.get("anyOf") or []
        meant = self._by_type(union, value)
        for part in [meant] if meant else union:
            if meant or self._any.evolve(schema=part).is_valid(value):
                yield from self._fitting(part, value)

    def _union(self, name: str) -> Callable[..., Iterator[ValidationError]]:
        """oneOf and anyOf look only into the branch that `type` names: 20 times faster on a
        long message than trying every branch at every level, and its errors can be read."""

        plain = Draft202012Validator.VALIDATORS[name]

        def check(validator: Any, union: Any, value: Any, schema: Any) -> Iterator[ValidationError]:
            meant = self._by_type(union, value)
            if meant:
                return validator.descend(value, meant)  # type: ignore[no-any-return]
            return plain(validator, union, value, schema)  # type: ignore[no-any-return]

        return check

    def _by_type(self, union: list[Json], value: Any) -> Json | None:
        if not isinstance(value, dict) or "type" not in value:
            return None
        named = [part for part in union if value["type"] in self._types(part)]
        return named[0] if len(named) == 1 else None

    def _types(self, part: Json) -> list[Any]:
        schema = self._resolve(part["$ref"]) if "$ref" in part else part
        return list(schema.get("properties", {}).get("type", {}).get("enum", ()))

    def _resolve(self, reference: str) -> Json:
        node: Any = self._schemas
        for step in reference.partition("#/")[2].split("/"):
            node = node[step.replace("~1", "/").replace("~0", "~")]
        assert isinstance(node, dict)
        return node


def _prepared(node: Any) -> Any:
    """References made absolute, and ids allowed as integers: Discord takes them, and
    discord.py sends some so."""
    if isinstance(node, list):
        return [_prepared(item) for item in node]
    if not isinstance(node, dict):
        return node
    if node.get("format") == "snowflake" and node.get("type") == "string":
        return node | {"type": ["string", "integer"]}
    inner = {key: _prepared(value) for key, value in node.items()}
    if isinstance(inner.get("$ref"), str):
        inner["$ref"] = HERE + inner["$ref"]
    return inner


def _order(template: str) -> int:
    """Literal paths come before those with parameters."""
    return template.count("{")


def _as_pattern(template: str) -> str:
    return re.sub(r"\\{[^}]*\\}", "[^/]+", re.escape(template))


def _meant(error: ValidationError) -> ValidationError:
    """Of a failed union the error in the branch that was meant: the one whose `type` fits."""
    if error.validator not in ("oneOf", "anyOf") or not error.context:
        return error
    branches: dict[Any, list[ValidationError]] = {}
    for inner in error.context:
        branches.setdefault(inner.schema_path[0], []).append(inner)
    if all(any(_at_type(e) for e in errors) for errors in branches.values()):
        return error
    best = min(branches.values(), key=lambda errors: (any(map(_mistaken, errors)), len(errors)))
    return _meant(best[0])


def _mistaken(error: ValidationError) -> bool:
    return _at_type(error) or (not error.relative_path and error.validator == "type")


def _at_type(error: ValidationError) -> bool:
    return list(error.relative_path) == ["type"]


def _told(error: ValidationError) -> str:
    message = error.message if len(error.message) < 300 else f"{error.message[:300]}…"
    if error.validator in ("maxLength", "minLength", "maxItems", "minItems"):
        message = f"{error.validator} is {error.validator_value}, got {len(error.instance)}"
    return f"{error.json_path.replace('$', 'body', 1)}: {message}"
