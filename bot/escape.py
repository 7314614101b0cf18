"""Foreign text made harmless: nothing in it pings, links or formats. And its length, counted."""

import re

# What Discord's markdown gives a meaning anywhere, and at the start of a line.
_MARKDOWN = re.compile(r"([\\*_~|`\[\]()<>#])")
_BULLET = re.compile(r"^(\s*)([-+])", re.MULTILINE)
_NUMBER = re.compile(r"^(\s*\d+)\.", re.MULTILINE)
_SCHEME = re.compile(r"(?<=[A-Za-z])://")
_AT = re.compile(r"@(?=everyone|here|[!&]?\d)", re.IGNORECASE)
# Controls, the marks that turn the direction of writing around, and what nobody sees: it may part
# a word from its look, or carry orders to a model (the tags of U+E0000).
_CONTROL = re.compile(
    r"[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f"
    r"\ufeff\U000e0000-\U000e007f]"
)
_BREAK = re.compile(r"(?<=[，。、；！？」』”’）》】…])\s*\n\s*")
_BREAKER = "\u200b"  # a blank without width


def printable(text: str) -> str:
    """The text without what steers a terminal or hides from a reader."""
    return _CONTROL.sub("", text)


def plain(text: str) -> str:
    """The text as Discord's markdown that shows exactly it. Lines stay lines."""
    shown = _MARKDOWN.sub(r"\\\1", printable(text))
    shown = _NUMBER.sub(r"\1\\.", _BULLET.sub(r"\1\\\2", shown))
    return _AT.sub(f"@{_BREAKER}", _SCHEME.sub(r"\\://", shown))


def one_line(text: str) -> str:
    """The text on one line; after a full-width mark no blank stands for the line break."""
    return " ".join(_BREAK.sub("", text).split())


def terminal_line(text: str) -> str:
    """The text on one line of a terminal."""
    return printable(one_line(text))


def line(text: str, limit: int = 200) -> str:
    """The same as `plain` on one line, clipped to `limit` characters before escaping."""
    return plain(clipped(one_line(text), limit))


def quoted(text: str) -> str:
    """A block quotation."""
    return "\n".join(
        f"> {part}" if part.strip() else "> \u200b" for part in plain(text).split("\n")
    )


def code_block(text: str) -> str:
    """Text in a fixed font that can be copied; nothing in it ends the block or pings."""
    harmless = _AT.sub(f"@{_BREAKER}", printable(text)).replace("```", "`\u200b``")
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
