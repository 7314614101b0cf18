"""Folded text becomes tokens: Han characters and bigrams, Latin words, numbers."""

import re

HAN = "㐀-鿿豈-\ufaff\U00020000-\U0003ffff"
_RUNS = re.compile(f"[{HAN}]+|[a-z0-9\u00c0-\u024f\u0370-\u04ff\u3041-\u30ff\uac00-\ud7a3]+")
_FIRST_HAN = "㐀"
_SUFFIXES = (("ies", "y"), ("ing", ""), ("es", ""), ("ed", ""), ("s", ""))


def tokens(folded: str) -> list[str]:
    """Unigrams and bigrams of each Han run, other words whole, in order, repeats kept."""
    found: list[str] = []
    for match in _RUNS.finditer(folded):
        run = match.group()
        if run[0] < _FIRST_HAN or "가" <= run[0] <= "힣":
            found.append(run)
            continue
        found += run
        found += [run[i : i + 2] for i in range(len(run) - 1)]
    return found


def words(folded: str) -> list[str]:
    """The Latin words and numbers of a text, without their English endings."""
    return [stem(word) for word in re.findall(r"[a-z0-9]+", folded)]


def stem(word: str) -> str:
    """Take one English ending off: studies -> study, models -> model."""
    for suffix, replacement in _SUFFIXES:
        if word.endswith(suffix) and len(word) - len(suffix) >= 3:
            return word[: -len(suffix)] + replacement
    return word
