"""Small changes to a question that keep its meaning: other words, other regions, slips."""

import gzip
import random
import re
from collections import defaultdict
from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

import opencc

from rag.fold import fold
from rag.wordpieces import HAN
from training.texts import Group

_RUNS = re.compile(rf"[{HAN}]+|[a-z][a-z -]*[a-z]|.", re.DOTALL)
_LONGEST = 6
# What asks, and the noun by which someone in a hurry asks the same.
_TERSE = (
    (
        re.compile("(?:是|在|于|是在)?(?:什么时候|何时|哪一?[年天]|几月几[日号]|什么时间)"),
        "时间",
    ),
    (re.compile("(?:是|在|于|位于|是在)?(?:哪里|哪儿|何处|什么地方|哪个地方)"), "地点"),
    (re.compile("(?:为什么|为何|为啥)(?:要|会|说)?(?=.)"), "原因"),
    (re.compile("(?:要|该|应该|是)?(?:怎么|如何|怎样|咋)(?:才能|去)?(?=.)"), "方法"),
    (re.compile("(?:是|为|有)多少$|是谁$|是什么(?:意思)?$|是啥(?:意思)?$"), ""),
)
_ENDING = re.compile(r"[的呢吗啊呀了?？。!！\s]+$")
_NAMED = re.compile(r"[a-z][a-z0-9.-]*[0-9]|[a-z]{2,}[a-z0-9.-]*|[0-9]+(?:\.[0-9]+)?")


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


def terse(text: str) -> str:
    """A folded Chinese question as typed into a search box: its subject and what is asked of it."""
    text = _ENDING.sub("", text)
    for asking, noun in _TERSE:
        if found := asking.search(text):
            rest = text[: found.start()] + _ENDING.sub("", text[found.end() :])
            return rest + noun if len(rest) > 2 else text
    return text


def about_another(text: str, passage: str, names: Sequence[str], chance: random.Random) -> str:
    """The question with a number or Latin name of the passage exchanged for one it has not.

    Empty when the question names none, or when `names` has no other.
    """
    held = [found for found in _NAMED.finditer(text) if found[0] in passage]
    if not held:
        return ""
    found = chance.choice(held)
    other = _other_number(found[0], chance) if found[0].isdigit() else chance.choice(names or [""])
    if not other or other in passage:
        return ""
    return text[: found.start()] + other + text[found.end() :]


def latin_names(texts: Sequence[str]) -> list[str]:
    """The Latin names that some texts hold, each once."""
    found = dict.fromkeys(name for text in texts for name in _NAMED.findall(text))
    return [name for name in found if not name.isdigit()]


def _other_number(number: str, chance: random.Random) -> str:
    moved = int(number) + chance.choice((-3, -2, -1, 1, 2, 3, 5, 10))
    return str(abs(moved)).zfill(len(number)) if moved else ""


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
