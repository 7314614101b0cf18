"""Foreign text made harmless: nothing in it pings, links or formats. And its length, counted."""

import re

# What Discord's markdown gives a meaning anywhere, and at the start of a line.
_MARKDOWN = re.compile(r"([\\*_~|`\[\]()<>#])")
_BULLET = re.compile(r"^(\s*)([-+])", re.MULTILINE)
_NUMBER = re.compile(r"^(\s*\d+)\.", re.MULTILINE)
_SCHEME = re.compile(r"(?<=[A-Za-z])://")
_AT = re.compile(r"@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
# Controls, and the marks that turn the direction of writing around.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200e\u200f\u202a-\u202e\u2066-\u2069]")
_BREAKER = "\u200b"  # a blank without width


def plain(text: str) -> str:
    """The text as Discord's markdown that shows exactly it. Lines stay lines."""
    shown = _MARKDOWN.sub(r"\\\1", _CONTROL.sub("", text))
    shown = _NUMBER.sub(r"\1\\.", _BULLET.sub(r"\1\\\2", shown))
    return _AT.sub(f"@{_BREAKER}", _SCHEME.sub(r"\\://", shown))


def line(text: str, limit: int = 200) -> str:
    """The same on one line, clipped to `limit` characters before escaping."""
    return plain(clipped(" ".join(text.split()), limit))


def quoted(text: str) -> str:
    """A block quotation."""
    return "\n".join(
        f"> {part}" if part.strip() else "> \u200b" for part in plain(text).split("\n")
    )


def code_block(text: str) -> str:
    """Text in a fixed font that can be copied; nothing in it ends the block or pings."""
    harmless = _AT.sub(f"@{_BREAKER}", _CONTROL.sub("", text)).replace("```", "`\u200b``")
    return f"```\n{harmless}\n```"


def clipped(text: str, limit: int) -> str:
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def units(text: str) -> int:
    """The length that Discord counts: UTF-16 units."""
    return len(text.encode("utf-16-le", "surrogatepass")) // 2


def within(text: str, limit: int) -> str:
    """Clipped to so many UTF-16 units, for labels and names."""
    if units(text) <= limit:
        return text
    while units(text) > limit - 1:
        text = text[:-1]
    return text + "…"
