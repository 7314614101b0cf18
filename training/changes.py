"""Small changes to a question that keep its meaning: other words, other regions, slips."""

import gzip
import random
import re
from collections import defaultdict
from functools import lru_cache
from pathlib import Path

import opencc

from rag.fold import fold
from rag.wordpieces import HAN
from training.texts import Group

_RUNS = re.compile(rf"[{HAN}]+|[a-z][a-z -]*[a-z]|.", re.DOTALL)
_LONGEST = 6


class Changes:
    """Draws changed questions. All texts are folded; probabilities are for one text."""

    def __init__(self, groups: list[Group], sounds: dict[str, str], seed: int = 0) -> None:
        self._random = random.Random(seed)
        self._sounds = sounds
        self._forms: dict[str, list[str]] = defaultdict(list)
        for group in groups:
            forms = [*group.chinese, *group.english]
            for form in forms:
                if len(form) > 1:
                    self._forms[form] += [other for other in forms if other != form]

    def question(self, text: str) -> str:
        """Perhaps other words of the thesaurus, other regional words, one misspelling."""
        if self._random.random() < 0.35:
            text = self.other_words(text, 0.25)
        if self._random.random() < 0.2:
            text = self.other_region(text)
        if self._random.random() < 0.1:
            text = self.misspelt(text)
        return text

    def passage(self, text: str) -> str:
        """Perhaps the other region's words."""
        return self.other_region(text) if self._random.random() < 0.15 else text

    def other_region(self, text: str) -> str:
        """Taiwan's words for the Mainland's or the reverse, folded again."""
        return fold(_converter(self._random.choice(("s2twp", "tw2sp"))).convert(text))

    def other_words(self, text: str, share: float) -> str:
        """A share of the words that the thesaurus knows, in another form of their group."""
        return "".join(
            self._replaced(run, share) if len(run) > 1 else run for run in _RUNS.findall(text)
        )

    def _replaced(self, run: str, share: float) -> str:
        if run.isascii():
            return self._swap(run, share)
        out, begin = [], 0
        while begin < len(run):
            for end in range(min(len(run), begin + _LONGEST), begin, -1):
                if run[begin:end] in self._forms:
                    break
            out.append(self._swap(run[begin:end], share))
            begin = end
        return "".join(out)

    def _swap(self, word: str, share: float) -> str:
        others = self._forms.get(word)
        if not others or self._random.random() > share:
            return word
        other = self._random.choice(others)
        return f" {other} " if other.isascii() else other

    def misspelt(self, text: str) -> str:
        """One character replaced by another of the same sound."""
        places = [place for place, char in enumerate(text) if len(self._sounds.get(char, "")) > 1]
        if not places:
            return text
        place = self._random.choice(places)
        return text[:place] + self._random.choice(self._sounds[text[place]]) + text[place + 1 :]


def sounds(shared: Path, common: set[str]) -> dict[str, str]:
    """Character -> the common characters said alike (tones apart), from CC-CEDICT."""
    alike: dict[str, list[str]] = defaultdict(list)
    with gzip.open(shared / "train" / "cc-cedict.txt.gz", "rt", encoding="utf-8") as file:
        for line in file:
            match = re.match(r"\S+ (\S) \[([a-z:]+)\d\]", line)
            if match and match[1] in common:
                alike[match[2]].append(match[1])
    return {char: "".join(dict.fromkeys(group)) for group in alike.values() for char in group}


@lru_cache(maxsize=4)
def _converter(name: str) -> opencc.OpenCC:
    return opencc.OpenCC(name)
