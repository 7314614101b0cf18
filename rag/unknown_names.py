"""Names in a question that no passage knows: whoever asks about them asks about something else.

Only Latin words and numbers inside a Chinese question can be told from words that merely say it
differently; of an English question everything is said differently.
"""

import re
from collections.abc import Iterator

from rag.fold import fold
from rag.lexical import LexicalIndex
from rag.terms import HAS_HAN
from rag.tokens import stem, subject, tokens

_CHINESE = 3  # characters, from which on a question counts as Chinese
_ENDINGS = ("", "e", "s", "es", "ed", "ing")
_PARTS = re.compile(r"[^\W\d]+|\d+")


def unknown_names(question: str, index: LexicalIndex, apart: str = "") -> tuple[str, ...]:
    """The folded names that stand in no passage, title or heading, nor another form of them.

    `apart` is the text of a passage that shall not count, as if the index were without it.
    """
    folded = fold(question)
    if len(HAS_HAN.findall(folded)) < _CHINESE:
        return ()
    found = (token for token in tokens(subject(folded)) if not HAS_HAN.match(token))
    names = dict.fromkeys(token for token in found if len(token) > 1)
    known = _Known(index, fold(apart))
    return tuple(name for name in names if not known.has(name))


class _Known:
    """What an index holds, one passage apart."""

    def __init__(self, index: LexicalIndex, apart: str) -> None:
        self._index = index
        self._tokens = frozenset(tokens(apart))
        # What looks through a passage first gathers the lengths of all forms, some 20 ms that a
        # cold question shall not wait for.
        forms = index.terms.in_passage(apart) if apart else ()
        self._groups = {group for _, ids in forms for group in ids}

    def has(self, name: str) -> bool:
        if any(map(self._has_word, _forms(name))) or self._has_other_word(name):
            return True
        parts = _PARTS.findall(name)  # GPT4, where the passages have GPT-4
        return len(parts) > 1 and all(map(self._has_word, parts))

    def _has_word(self, word: str) -> bool:
        return self._index.frequency(word) > (word in self._tokens)

    def _has_other_word(self, name: str) -> bool:
        found = self._index.terms.in_question(name)
        groups = (group for _, ids in found for group in ids)
        return any(self._index.idea_frequency(g) > (g in self._groups) for g in groups)


def _forms(name: str) -> Iterator[str]:
    """A word with every English ending that it may have."""
    base = stem(name)
    yield name
    yield from (base + ending for ending in _ENDINGS)
    if base.endswith("y"):
        yield f"{base[:-1]}ies"
