"""The rules for messages that Discord's OpenAPI file does not state. Lengths are UTF-16 units."""

import re
from collections import Counter
from collections.abc import Iterator
from typing import Any

from tests.discord_local.pings import walk

Json = dict[str, Any]

COMPONENTS_V2 = 1 << 15
ROW, BUTTON, STRING_SELECT, TEXT_INPUT = 1, 2, 3, 4
SELECTS = (3, 5, 6, 7, 8)
SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER = 9, 10, 11, 12, 13, 14, 17
V2_ONLY = (SECTION, TEXT_DISPLAY, THUMBNAIL, GALLERY, FILE, SEPARATOR, CONTAINER)
LINK, PREMIUM = 5, 6
BODY_PARTS = ("content", "embeds", "components", "attachments", "poll", "sticker_ids")


def units(text: str) -> int:
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def message_problems(body: Json, *, edit: bool, v2_before: bool = False) -> Iterator[str]:
    """`edit`: what is left out stays; `v2_before`: the edited message has the V2 flag."""
    components = list(walk(body.get("components")))
    v2 = v2_before or bool((body.get("flags") or 0) & COMPONENTS_V2)
    if not edit and not any(body.get(part) for part in BODY_PARTS):
        yield "empty message"
    if units(body.get("content") or "") > 2000:
        yield f"content has {units(body['content'])} characters, the limit is 2000"
    yield from _embed_problems(body.get("embeds") or [])
    yield from _v2_problems(body, components) if v2 else _v1_problems(body, components)
    yield from component_problems(components)


def _embed_problems(embeds: list[Json]) -> Iterator[str]:
    total = sum(units(text) for embed in embeds for text in _embed_texts(embed))
    if total > 6000:
        yield f"embeds have {total} characters in all, the limit is 6000"


def _embed_texts(embed: Json) -> Iterator[str]:
    yield from (embed.get("title") or "", embed.get("description") or "")
    yield (embed.get("footer") or {}).get("text") or ""
    yield (embed.get("author") or {}).get("name") or ""
    for field in embed.get("fields") or ():
        yield from (field.get("name") or "", field.get("value") or "")


def _v1_problems(body: Json, components: list[Json]) -> Iterator[str]:
    if len(body.get("components") or ()) > 5:
        yield f"{len(body['components'])} rows of components, the limit is 5"
    for component in components:
        if component.get("type") in V2_ONLY:
            yield f"component type {component['type']} needs the flag 32768"


def _v2_problems(body: Json, components: list[Json]) -> Iterator[str]:
    for part in ("content", "embeds", "poll", "sticker_ids"):
        if body.get(part):
            yield f"{part} cannot go with the flag 32768"
    if len(components) > 40:
        yield f"{len(components)} components, the limit is 40"
    shown = sum(units(c.get("content") or "") for c in components if c.get("type") == TEXT_DISPLAY)
    if shown > 4000:
        yield f"the displayed text has {shown} characters in all, the limit is 4000"


def component_problems(components: list[Json]) -> Iterator[str]:
    """For messages and for modals."""
    ids = Counter(c["custom_id"] for c in components if c.get("custom_id"))
    yield from (f"custom_id {i!r} is used {n} times" for i, n in ids.items() if n > 1)
    numbers = Counter(c["id"] for c in components if c.get("id"))
    yield from (f"component id {i} is used {n} times" for i, n in numbers.items() if n > 1)
    for component in components:
        yield from _one_component(component)


def _one_component(component: Json) -> Iterator[str]:
    kind = component.get("type")
    if kind == BUTTON:
        yield from _button_problems(component)
    elif kind == ROW:
        yield from _row_problems(component.get("components") or [])
    elif kind in SELECTS:
        yield from _select_problems(component)
    elif kind == TEXT_DISPLAY and not component.get("content", "").strip():
        yield "a text display shows nothing"
    if units(component.get("custom_id") or "") > 100:
        yield f"custom_id {component['custom_id']!r} is longer than 100"


def _button_problems(button: Json) -> Iterator[str]:
    name = f"button {button.get('label') or button.get('custom_id')!r}"
    url = button.get("url") or ""
    if button.get("style") == LINK:
        if not re.match(r"(https?|discord)://\S+$", url):
            yield f"{name} is a link without a usable url: {url!r}"
        if units(url) > 512:
            yield f"{name} has a url of {units(url)} characters, the limit is 512"
        if button.get("custom_id"):
            yield f"{name} is a link with a custom_id"
    elif button.get("style") != PREMIUM:
        if not button.get("custom_id"):
            yield f"{name} has no custom_id"
        if url:
            yield f"{name} has a url but is no link"
    if button.get("style") != PREMIUM and not button.get("label") and not button.get("emoji"):
        yield f"{name} has neither label nor emoji"
    if units(button.get("label") or "") > 80:
        yield f"{name} has a label longer than 80"


def _row_problems(row: list[Json]) -> Iterator[str]:
    if not row:
        yield "a row without components"
    if len(row) > 5 or (len(row) > 1 and any(c.get("type") != BUTTON for c in row)):
        yield "a row holds up to 5 buttons or one select"


def _select_problems(select: Json) -> Iterator[str]:
    if not select.get("custom_id"):
        yield "a select has no custom_id"
    options = select.get("options") or []
    if select.get("type") == STRING_SELECT and not 1 <= len(options) <= 25:
        yield f"a select has {len(options)} options, 1 to 25 are allowed"
    values = Counter(o.get("value") for o in options)
    yield from (f"option value {v!r} is used {n} times" for v, n in values.items() if n > 1)
