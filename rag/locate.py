"""Where a quote stands in a text: tolerant of script, width, white space and punctuation.

Never of words: a quote with one word changed stands nowhere.
"""

import re
import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rag.fold import fold

# OpenCC decides these by the words around them, which a quote that begins in mid-word lacks.
_SAME = str.maketrans(
    {
        **dict.fromkeys("著", "着"),
        **dict.fromkeys("乾幹", "干"),
        **dict.fromkeys("裏裡", "里"),
        **dict.fromkeys("麼麽幺", "么"),
        **dict.fromkeys("瞭", "了"),
        **dict.fromkeys("徵", "征"),
        **dict.fromkeys("鍾鐘锺", "钟"),
        **dict.fromkeys("妳", "你"),
        **dict.fromkeys("於", "于"),
        **dict.fromkeys("後", "后"),
        **dict.fromkeys("隻", "只"),
        **dict.fromkeys("範", "范"),
        **dict.fromkeys("餘馀", "余"),
        **dict.fromkeys("臺檯", "台"),
        **dict.fromkeys("係繫", "系"),
        **dict.fromkeys("製", "制"),
        **dict.fromkeys("衝", "冲"),
        **dict.fromkeys("藉", "借"),
        **dict.fromkeys("週", "周"),
        **dict.fromkeys("嚐", "尝"),
        **dict.fromkeys("併並", "并"),
        **dict.fromkeys("佈", "布"),
        **dict.fromkeys("佔", "占"),
        **dict.fromkeys("薑", "姜"),
        **dict.fromkeys("穀", "谷"),
        **dict.fromkeys("徬", "彷"),
    }
)
_SHORTEST = 2
_HAN_DIGITS = "二三四五六七八九十百千万萬亿億两兩零〇"
_GOES_ON = tuple(
    (re.compile(left), re.compile(right))
    for left, right in (
        (r"[A-Za-z]$", r"[A-Za-z]"),
        (r"[0-9]$", r"[0-9]|[.,][0-9]"),
        (r"[0-9][.,]$", r"[0-9]"),
        (f"[{_HAN_DIGITS}]$", f"[{_HAN_DIGITS}]"),
    )
)


def locate(quote: str, text: str) -> Iterator[tuple[int, int]]:
    """The `[start, end)` of each place where the words of a quote stand in a text."""
    needle, _ = _bare(quote)
    if len(needle) < _SHORTEST:
        return
    hay, at = _bare(text)
    found = hay.find(needle)
    while found >= 0:
        start, end = at[found], at[found + len(needle) - 1] + 1
        if not (_cuts(text, start) or _cuts(text, end)):
            yield start, end
        found = hay.find(needle, found + 1)


def _cuts(text: str, place: int) -> bool:
    """Whether a Latin word or a number goes on across a place: 12 is not found in 2012."""
    before, after = text[max(0, place - 2) : place], text[place : place + 2]
    return bool(before and after) and any(
        left.search(before) and right.match(after) for left, right in _GOES_ON
    )


@lru_cache(maxsize=256)
def matching_form(text: str) -> str:
    """Folded, and without the differences that OpenCC makes by the words around a character."""
    return fold(text).translate(_SAME)


@lru_cache(maxsize=64)
def _bare(text: str) -> tuple[str, tuple[int, ...]]:
    """The letters and digits of a text, folded, and where each stands in it."""
    folded = matching_form(text)
    letters: list[str] = []
    places: list[int] = []
    for place, char in enumerate(folded):
        for plain in unicodedata.normalize("NFKC", char).lower():
            if unicodedata.category(plain)[0] in "LNM":
                letters.append(plain)
                places.append(place)
    return "".join(letters), tuple(places)
