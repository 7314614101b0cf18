"""One form for matching: Simplified, lower case, half width; offsets stay one to one."""

import re
import unicodedata
from functools import lru_cache

import opencc

_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)} | {0x3000: 0x20}
# Marks that mean the same in both typographies; one character each, so offsets hold.
_MARKS = str.maketrans("「」『』“”‘’〈〉‧・", '""""""\'\'《》··')
_PLAIN = _MARKS | _WIDTH  # what either makes is nothing to the other
# A lone surrogate (a mangled command line) is no text, and OpenCC refuses it.
_SURROGATE = re.compile("[\ud800-\udfff]")
FINGERPRINT = f"t2s-lower-width-2/opencc-{opencc.__version__}"


@lru_cache(maxsize=1)
def _t2s() -> opencc.OpenCC:
    return opencc.OpenCC("t2s")


def fold(text: str) -> str:
    """Fold for search; `len(fold(text)) == len(text)`, so offsets carry over.

    OpenCC's t2s, then width, lower case and quotation marks. A character whose folding would
    change the length stays as it is.
    """
    text = _SURROGATE.sub("\ufffd", text)
    simplified: str = _t2s().convert(text)
    if len(simplified) != len(text):  # never seen in 1,000 articles; a phrase rule might do it
        simplified = "".join(_same_length(char) for char in text)
    narrow = simplified.translate(_PLAIN)
    lowered = narrow.lower()
    if len(lowered) != len(narrow):  # "İ" and a few more grow in lower case
        lowered = "".join(c.lower() if len(c.lower()) == 1 else c for c in narrow)
    return lowered


def _same_length(char: str) -> str:
    converted: str = _t2s().convert(char)
    return converted if len(converted) == 1 else char


def has_words(text: str) -> bool:
    """Whether the text holds a letter or a digit of any script: something one can search for."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)
