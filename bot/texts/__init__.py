"""The sentences that people read, by language: one TOML file each, the same keys in all."""

import tomllib
from functools import lru_cache
from pathlib import Path

from rag.result import VECTORS, Variant

LANGUAGES = ("zh-TW", "zh-CN", "en")
_BY_VARIANT: dict[Variant, str] = {"hant": "zh-TW", "hans": "zh-CN"}


def text(language: str, key: str, **values: object) -> str:
    """The sentence under a dotted key, its {fields} filled; KeyError names a missing key."""
    return sentences(language)[key].format(**values)


def why_degraded(reason: str, language: str) -> str:
    """What an answer had to do without, a sentence each; one where we have no words for it."""
    keys = [f"degraded.{each}" for each in reason.split("+")]
    known = sentences(language)
    return " ".join(text(language, key if key in known else "answer.degraded") for key in keys)


def tells_of_a_refusal(reason: str | None) -> bool:
    """Whether what was missing may be why nothing was found."""
    return reason is not None and VECTORS in reason.split("+")


def language_of(variant: Variant) -> str:
    """The language whose wording goes with a script."""
    return _BY_VARIANT[variant]


@lru_cache(maxsize=len(LANGUAGES))
def sentences(language: str) -> dict[str, str]:
    """All sentences of a language, by dotted key."""
    raw = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    return {f"{table}.{key}": value for table, keys in raw.items() for key, value in keys.items()}
