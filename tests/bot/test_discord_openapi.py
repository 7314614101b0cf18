"""Requests that Discord would reject are recognised, and those that it takes are not."""

import copy
from typing import Any

import pytest

from tests.discord_openapi import openapi, problems

Json = dict[str, Any]

ID = "123456789012345678"
SEND = ("POST", f"/channels/{ID}/messages")
CALLBACK = ("POST", f"/interactions/{ID}/token/callback")
EDIT = ("PATCH", f"/webhooks/{ID}/token/messages/@original")
COMMANDS = ("PUT", f"/applications/{ID}/commands")
THREAD = ("POST", f"/channels/{ID}/messages/{ID}/threads")
V2 = 1 << 15

needs_the_file = pytest.mark.skipif(openapi() is None, reason="Discord's OpenAPI file is not here")


def text(content: str) -> Json:
    return {"type": 10, "content": content}


def button(**parts: Any) -> Json:
    return {"type": 2, "style": 2, "label": "好", "custom_id": "a"} | parts


def row(*components: Json) -> Json:
    return {"type": 1, "components": list(components)}


def v2(*components: Json) -> Json:
    return {"flags": V2, "components": list(components)}


def command(**parts: Any) -> list[Json]:
    return [{"name": "ask", "description": "Ask", "type": 1} | parts]


def option(**parts: Any) -> Json:
    return {"name": "question", "description": "What", "type": 3} | parts


def found(route: tuple[str, str], body: Any) -> str:
    return "\n".join(problems(*route, {}, body))


FINE = {
    "content": (SEND, {"content": "好", "tts": False, "nonce": "1"}),
    "ids as integers": (SEND, {"content": "好", "message_reference": {"message_id": int(ID)}}),
    "defer": (CALLBACK, {"type": 5, "data": {"flags": 64}}),
    "defer an update": (CALLBACK, {"type": 6}),
    "V2": (EDIT, v2({"type": 17, "components": [text("甲"), row(button())]})),
    "V1 rows": (SEND, {"components": [row(button())], "content": "好"}),
    "2000 units": (SEND, {"content": "長" * 2000}),
    "an edit that leaves all": (EDIT, {}),
    "command": (COMMANDS, command(options=[option(required=True)])),
    "Chinese command name": (COMMANDS, command(name_localizations={"zh-TW": "問"})),
    "context menu": (COMMANDS, [{"name": "Ask about this", "type": 3, "description": ""}]),
}

NOT_IN_THE_FILE = {
    "content": (SEND, {"content": "長" * 2001}, "2001 characters"),
    "content in UTF-16": (SEND, {"content": "😀" * 1001}, "2002 characters"),
    "empty message": (SEND, {"content": ""}, "empty message"),
    "embeds": (SEND, {"embeds": [{"description": "長" * 4000}] * 2}, "8000 characters"),
    "rows": (SEND, {"components": [row(button(custom_id=str(i))) for i in range(6)]}, "6 rows"),
    "link without url": (SEND, {"components": [row(button(style=5, custom_id=None))]}, "usable"),
    "long url": (
        SEND,
        {"components": [row(button(style=5, custom_id=None, url=f"https://a.b/{'x' * 512}"))]},
        "limit is 512",
    ),
    "custom_id twice": (SEND, {"components": [row(button(), button())]}, "used 2 times"),
    "no custom_id": (SEND, {"components": [row(button(custom_id=None))]}, "no custom_id"),
    "no label": (SEND, {"components": [row(button(label=None))]}, "neither label nor emoji"),
    "V2 without flag": (SEND, {"components": [text("甲")]}, "needs the flag"),
    "V2 with content": (SEND, v2(text("甲")) | {"content": "乙"}, "content cannot go"),
    "V2 text": (EDIT, v2(text("長" * 2001), text("短" * 2000)), "4001 characters"),
    "V2 components": (EDIT, v2({"type": 17, "components": [text("甲")] * 40}), "41 components"),
    "upper case": (COMMANDS, command(name="Ask"), "'Ask' is not of lower-case"),
    "space": (COMMANDS, command(name_localizations={"en-US": "ask it"}), "'ask it' is not of"),
    "locale": (COMMANDS, command(name_localizations={"zh-HK": "問"}), "no locale 'zh-HK'"),
    "command twice": (COMMANDS, command() * 2, "there 2 times"),
    "required last": (
        COMMANDS,
        command(options=[option(), option(name="b", required=True)]),
        "behind an optional one",
    ),
    "thread name": (THREAD, {"name": "長" * 101}, "101 characters"),
    "modal": (
        CALLBACK,
        {"type": 9, "data": {"title": "長" * 46, "custom_id": "m", "components": [text("甲")]}},
        "longer than 45",
    ),
}

IN_THE_FILE = {
    "unknown field": (SEND, {"content": "好", "colour": 1}, "body.colour is unknown"),
    "unknown inside": (SEND, v2(text("甲") | {"size": 1}), "components[0].size is unknown"),
    "label": (EDIT, v2(row(button(label="長" * 81))), "maxLength is 80, got 81"),
    "choices": (
        COMMANDS,
        command(options=[option(choices=[{"name": str(i), "value": "v"} for i in range(26)])]),
        "maxItems is 25, got 26",
    ),
    "wrong place": (EDIT, v2({"type": 17, "components": [button()]}), "is not valid"),
    "no route": (("POST", "/channels"), {}, "no route of Discord"),
    "bool for a number": (SEND, {"content": "好", "flags": True}, "True is not of type"),
}


@pytest.mark.parametrize(("route", "body"), FINE.values(), ids=FINE)
def test_what_discord_takes_passes(route: tuple[str, str], body: Any) -> None:
    assert found(route, body) == ""


@pytest.mark.parametrize(
    ("route", "body", "complaint"), NOT_IN_THE_FILE.values(), ids=NOT_IN_THE_FILE
)
def test_our_own_rules_reject(route: tuple[str, str], body: Any, complaint: str) -> None:
    assert complaint in found(route, body)


@needs_the_file
@pytest.mark.parametrize(("route", "body", "complaint"), IN_THE_FILE.values(), ids=IN_THE_FILE)
def test_discords_file_rejects(route: tuple[str, str], body: Any, complaint: str) -> None:
    assert complaint in found(route, body)


def test_an_edit_of_a_v2_message_keeps_the_v2_rules() -> None:
    told = problems(*EDIT, {}, {"components": [text("甲")]}, v2_before=True)

    assert told == []


def test_checking_changes_nothing() -> None:
    body = v2({"type": 17, "components": [text("甲"), row(button())]})
    before = copy.deepcopy(body)
    found(EDIT, body)

    assert body == before
