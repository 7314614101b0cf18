"""Which Chinese a text is written in, and bringing our own text to the other one."""

import re
from functools import lru_cache

import opencc

from rag.addresses import ADDRESS
from rag.result import Variant

# In the other script's set for the sake of names or rare words, yet telling: in 34 million
# characters of Traditional and 12 million of Simplified text they are at least 30 times as
# frequent in their own. 并, 范, 云, 划, 征, 宁 and the like are too, but are words in both.
_HANT_DESPITE_GB2312 = frozenset("於瞭徵夥後")
_HANS_DESPITE_BIG5 = frozenset(
    "与体机据种万网气价党构极确儿离优几愿么胜适异圣厂听怀吨虫坏厘洁触赶惊咨岭挂苹荐扰丰"
)
_HANT = "hant"
_LOCALES: dict[str, Variant] = {"zh-tw": "hant", "zh-hk": "hant", "zh-mo": "hant", "zh-cn": "hans"}
# Left as the source has them: titles of works, addresses, code.
_PROTECTED = re.compile(rf"《[^《》\n]*》|〈[^〈〉\n]*〉|{ADDRESS}|`[^`\n]*`")


def detect(text: str) -> Variant | None:
    """The script that more of the text's telling characters belong to; None when none tells.

    A character tells when it exists in one script only: it changes under conversion, and the
    other script's national character set (GB 2312, Big5) does not have it. 后, 里, 台 and some
    sixty more are in both and say nothing.
    """
    balance = sum(_telling(char) for char in text)
    if balance == 0:
        return None
    return "hant" if balance > 0 else "hans"


def resolve(
    question: str,
    choice: Variant | None = None,
    locale: str | None = None,
    default: Variant = "hant",
) -> Variant:
    """The variant of an answer: own choice > script of the question > locale > default."""
    return choice or detect(question) or _LOCALES.get((locale or "").lower()) or default


def to_variant(text: str, variant: Variant, keep: tuple[str, ...] = ()) -> str:
    """Bring the text to a script by characters; words, titles, addresses and code stay.

    Only stretches that are not in that script already are touched: converting Traditional
    text "to Traditional" damages it (聰明了 would become 聰明瞭). `keep` are names to leave.
    """
    pattern = _protected(keep)
    parts: list[str] = []
    last = 0
    for match in pattern.finditer(text):
        parts += [_convert_lines(text[last : match.start()], variant), match.group()]
        last = match.end()
    parts.append(_convert_lines(text[last:], variant))
    return "".join(parts)


def purity(text: str, variant: Variant) -> tuple[int, int]:
    """(script-bearing characters of the wanted script, script-bearing characters in all)."""
    tells = [_telling(char) for char in _PROTECTED.sub("", text)]
    wanted = sum(tell == (1 if variant == _HANT else -1) for tell in tells)
    return wanted, sum(tell != 0 for tell in tells)


def _protected(keep: tuple[str, ...]) -> re.Pattern[str]:
    names = [re.escape(name) for name in keep if name.strip()]
    return re.compile("|".join([*names, _PROTECTED.pattern])) if names else _PROTECTED


def _convert_lines(text: str, variant: Variant) -> str:
    """Convert clause by clause, leaving clauses that hold no character of the other script."""
    foreign = -1 if variant == _HANT else 1
    clauses = re.split(r"(?<=[，。！？；：、\n])", text)
    return "".join(
        _converter(variant).convert(clause)
        if any(_telling(char) == foreign for char in clause)
        else clause
        for clause in clauses
    )


@lru_cache(maxsize=4)
def _converter(variant: Variant) -> opencc.OpenCC:
    return opencc.OpenCC("s2tw" if variant == _HANT else "t2s")


@lru_cache(maxsize=2)
def _character_converter(config: str) -> opencc.OpenCC:
    return opencc.OpenCC(config)


@lru_cache(maxsize=20_000)
def _telling(char: str) -> int:
    """+1 for a character of Traditional text only, -1 for Simplified only, 0 otherwise."""
    if char < "㐀" or "\ud800" <= char <= "\udfff":
        return 0
    if _character_converter("t2s").convert(char) != char:
        return 1 if char in _HANT_DESPITE_GB2312 or not _encodes(char, "gb2312") else 0
    if _character_converter("s2t").convert(char) != char:
        return -1 if char in _HANS_DESPITE_BIG5 or not _encodes(char, "big5") else 0
    return 0


def _encodes(char: str, charset: str) -> bool:
    try:
        char.encode(charset)
    except UnicodeEncodeError:
        return False
    return True
