"""Why a file of the articles cannot be read, in the reader's language."""

import re

from bot.texts import text

# The reasons that `corpus` gives; what the parts mean is the key's sentence's to say.
_REASONS = {
    key: re.compile(pattern)
    for key, pattern in {
        "marked": r"marked as (?P<name>\S+), but broken at byte (?P<at>\d+)",
        "binary": r"not text but (?P<name>.+)",
        "controls": r"not text: full of control characters",
        "broken": r"UTF-8 with a broken character at byte (?P<at>\d+)",
        "encoding": r"not text, or in an encoding other than .+",
        "open_front": r"its front matter has no closing line",
        "long_front": r"its front matter is longer than (?P<size>\d+) KB",
        "yaml": r"its front matter is not valid YAML(?P<where>.*)",
        "toml": r"its front matter is not valid TOML: (?P<where>.*)",
        "same_id": r"has the same id as (?P<other>.+)",
        "name": r"its name is not valid UTF-8",
        "nested": r"nested too deeply",
        "no_folder": r"no such folder",
        "folder": r"is a folder, not a file",
        "special": r"is not an ordinary file",
        "large": r"is (?P<size>[\d.]+) MB large; the limit is (?P<limit>\d+) MB",
        "permission": r"no permission to read it",
        "gone": r"is gone, or a link to nothing",
        "unread": r"cannot be read",
        "empty": r"is empty",
        "no_text": r"has no text(?: after its metadata)?",
    }.items()
}


def why_unreadable(reason: str, language: str) -> str:
    """The sentence for a reason; the reason itself where it is the operating system's."""
    for key, pattern in _REASONS.items():
        if found := pattern.fullmatch(reason):
            return text(language, f"unreadable.{key}", **found.groupdict())
    return reason
