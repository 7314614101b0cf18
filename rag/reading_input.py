"""Question and sentences become the token numbers that the reader model reads."""

from collections.abc import Sequence
from dataclasses import dataclass

from rag.wordpieces import WordPieces

# Kinds of a token: of the question or of the passage, and whether the other one holds it too.
ASKED, ASKED_SHARED, READ, READ_SHARED = range(4)
_MOST_ASKED = 64


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence: [CLS] question [SEP] sentences [SEP].

    `asked` and each of `spans` are the places `[start, end)` of the question's tokens and of a
    sentence's; a sentence without room has the empty span (0, 0).
    """

    ids: list[int]
    kinds: list[int]
    asked: tuple[int, int]
    spans: list[tuple[int, int]]


def row(cutter: WordPieces, question: str, sentences: Sequence[str], limit: int) -> Row:
    """Folded question and sentences as one sequence of at most `limit` tokens."""
    asked = cutter.ids(question)[: min(_MOST_ASKED, limit // 2)] or [cutter.unknown]
    ids = [cutter.start, *asked, cutter.end]
    kinds = [ASKED, *_kinds(cutter, asked, "".join(sentences), ASKED), ASKED]
    spans = []
    for sentence in sentences:
        found = cutter.ids(sentence)[: max(0, limit - 1 - len(ids))]
        spans.append((len(ids), len(ids) + len(found)) if found else (0, 0))
        ids += found
        kinds += _kinds(cutter, found, question, READ)
    return Row([*ids, cutter.end], [*kinds, READ], (1, 1 + len(asked)), spans)


def _kinds(cutter: WordPieces, ids: Sequence[int], other: str, kind: int) -> list[int]:
    """`kind`, or the next one for a token of which the other text holds two characters or all."""
    return [kind + _shared(cutter.tokens[number].removeprefix("##"), other) for number in ids]


def _shared(token: str, other: str) -> bool:
    if not token[0].isalnum():
        return False
    if token in other:
        return True
    pairs = (token[at : at + 2] for at in range(len(token) - 1))
    return not token.isascii() and any(pair in other for pair in pairs)
