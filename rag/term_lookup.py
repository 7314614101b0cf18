"""A word in all its forms, and the passages where any of them occurs."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from corpus.article import Article, Passage
from rag.fold import fold
from rag.generation import Generation
from rag.result import Variant
from rag.terms import HAS_HAN, LOCAL_FILE, SHIPPED, Terms, load_terms, local_rows, normalise
from rag.tokens import words
from rag.variant import to_variant

_CANDIDATES = 200  # passages looked at for each form
_FORMS = 60  # of all groups together
_SUFFIX = "[a-z]*"  # what stemming may have taken off an English word


@dataclass(frozen=True, slots=True)
class Group:
    """Words of one idea as they are written. `own`: out of the moderators' file; `indexed`: the
    index that serves was built with it."""

    forms: tuple[str, ...]
    own: bool
    indexed: bool

    def forms_in(self, variant: Variant) -> list[str]:
        """The forms in one script, each once."""
        shown: dict[str, str] = {}
        for form in (to_variant(form, variant) for form in self.forms):
            shown.setdefault(form.casefold(), form)
        return list(shown.values())


@dataclass(frozen=True, slots=True)
class Place:
    """A passage and what of it was found: `text[start:end]` is the first form that occurs."""

    article: Article
    passage: Passage
    start: int
    end: int
    forms: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Lookup:
    """`count` passages hold the word or another form of it; `places` are the first of them."""

    word: str
    groups: tuple[Group, ...]
    places: tuple[Place, ...]
    count: int


def look_up(word: str, corpus_dir: Path, generation: Generation, most: int = 5) -> Lookup:
    """Passages with the word itself come first, then those with the most other forms."""
    groups = tuple(groups_of(word, corpus_dir, generation.lexical.terms))
    forms = {fold(f): f for group in reversed(groups) for f in reversed(group.forms)}
    others = [form for form in reversed(forms.values()) if fold(form) != fold(word)]
    places = _places(generation, [word, *others][:_FORMS])
    return Lookup(word, groups, tuple(places[:most]), len(places))


def groups_of(word: str, corpus_dir: Path, indexed: Terms) -> Iterator[Group]:
    """The groups that hold a word: the moderators' first, then those that ship."""
    key = normalise(word)
    for row in local_rows(corpus_dir / LOCAL_FILE):
        keys = [normalise(form) for form in row]
        if key and key in keys:
            yield Group(tuple(row), True, _share_a_group(indexed, keys))
    lines = (SHIPPED / "terms.jsonl").read_text(encoding="utf-8").splitlines()
    for number in load_terms().groups.get(key, ()):
        row = json.loads(lines[number])
        forms = dict.fromkeys((*row.get("zh", ()), *row.get("tw", ()), *row.get("en", ())))
        yield Group(tuple(forms), False, True)


def occurrence(form: str, folded: str) -> tuple[int, int] | None:
    """Where a form first stands in a folded text."""
    match = _pattern(form).search(folded)
    return match.span() if match else None


def _share_a_group(terms: Terms, keys: Sequence[str]) -> bool:
    ids = [set(terms.groups.get(key, ())) for key in dict.fromkeys(keys) if key]
    return bool(ids) and bool(set.intersection(*ids))


def _places(generation: Generation, forms: Sequence[str]) -> list[Place]:
    found: dict[int, list[str]] = {}
    texts: dict[int, Passage] = {}
    for form in forms:
        for row, passage in _holding(generation, form):
            found.setdefault(row, []).append(form)
            texts[row] = passage
    own = forms[0]
    best = sorted(found, key=lambda row: (own not in found[row], -len(found[row]), row))
    return [_place(generation, texts[row], found[row]) for row in best]


def _holding(generation: Generation, form: str) -> Iterator[tuple[int, Passage]]:
    """Passages that hold a form, letter by letter once both are folded."""
    scores = generation.lexical.scores(_spelt(form)).ngrams
    rows = [int(row) for row in (-scores).argsort(kind="stable")[:_CANDIDATES] if scores[row] > 0]
    for row, passage in zip(rows, generation.content.passages(rows), strict=True):
        if occurrence(form, fold(passage.text)):
            yield row, passage


def _spelt(form: str) -> str:
    """The form and, as the index keeps English words whole, its likely endings."""
    stems = words(fold(form))
    return " ".join(
        [form, *stems, *(f"{stem}{end}" for stem in stems for end in ("s", "ing", "ed"))]
    )


def _place(generation: Generation, passage: Passage, forms: list[str]) -> Place:
    start, end = occurrence(forms[0], fold(passage.text)) or (0, 0)
    article = generation.content.article(passage.article_id)
    return Place(article, passage, start, end, tuple(forms))


def _pattern(form: str) -> "re.Pattern[str]":
    """Han as it stands; English as whole words, with or without their endings."""
    folded = fold(form).strip()
    if HAS_HAN.search(folded) or not words(folded):
        return re.compile(re.escape(folded) or "$^")
    stems = (re.escape(stem) + _SUFFIX for stem in words(folded))
    return re.compile(rf"(?<![a-z0-9]){'[^a-z0-9]+'.join(stems)}(?![a-z0-9])")
