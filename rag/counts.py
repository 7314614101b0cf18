"""How often each token stands in each passage: what both lexical scores are made of.

Counted once a passage. A generation that is little changed takes over the counts of the one
before, and its scores come out bit for bit as if all had been counted anew.
"""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Document = tuple[int, Sequence[str]]  # a row and its tokens
Numbers = NDArray[Any]
_AT_ONCE = 5000  # documents tallied together: about 20 MB of numbers


@dataclass(frozen=True, slots=True)
class Counts:
    """A sparse matrix in order of token, then row.

    Token i of the vocabulary has the entries `starts[i]:starts[i + 1]` of `rows` and `counts`;
    `lengths` counts the tokens of each row.
    """

    vocabulary: Mapping[str, int]
    starts: Numbers
    rows: Numbers
    counts: Numbers
    lengths: Numbers

    @classmethod
    def of(cls, documents: Sequence[Sequence[str]]) -> "Counts":
        """Count everything."""
        return cls.of_many(documents, len(documents))

    @classmethod
    def of_many(cls, documents: Iterable[Sequence[str]], size: int) -> "Counts":
        """Count `size` documents, of which only some are in memory at a time."""
        nothing = cls({}, np.zeros(1, np.int64), *(np.zeros(0, np.int32) for _ in range(3)))
        return nothing.changed(np.zeros(0, np.int64), size, enumerate(documents))

    def changed(self, moves: Numbers, size: int, documents: Iterable[Document]) -> "Counts":
        """Of `size` rows: old row i is now `moves[i]`, or gone where that is -1, and some are new.

        `moves` ascends where it is not -1.
        """
        vocabulary = _Vocabulary(self.vocabulary)
        new_keys, new_counts, new_lengths = _tallied(documents, vocabulary, size)
        keys, counts = self._moved(moves, size)
        at = np.searchsorted(keys, new_keys)
        keys, counts = np.insert(keys, at, new_keys), np.insert(counts, at, new_counts)
        token_of, rows = np.divmod(keys, max(size, 1))
        starts = np.cumsum([0, *np.bincount(token_of, minlength=len(vocabulary))])
        lengths = np.zeros(size, np.int32)
        lengths[moves[moves >= 0]] = self.lengths[moves >= 0]
        for row, length in new_lengths.items():
            lengths[row] = length
        numbers = starts.astype(np.int64), rows.astype(np.int32), counts, lengths
        return Counts(dict(vocabulary), *numbers)

    def frequencies(self) -> Numbers:
        """In how many rows each token stands."""
        return np.diff(self.starts)

    def save(self, directory: Path) -> None:
        """Write what is not among the scores' own files: counts and lengths."""
        np.save(directory / "counts.npy", self.counts.astype(np.uint16))
        np.save(directory / "lengths.npy", self.lengths)

    def _moved(self, moves: Numbers, size: int) -> tuple[Numbers, Numbers]:
        """The keys and counts of the entries that stay, in order."""
        if not len(self.rows):
            return np.zeros(0, np.int64), np.zeros(0, np.int32)
        token_of = np.repeat(np.arange(len(self.starts) - 1, dtype=np.int64), self.frequencies())
        rows = moves[self.rows]
        stay = rows >= 0
        return token_of[stay] * size + rows[stay], np.asarray(self.counts)[stay].astype(np.int32)


def load_vocabulary(path: Path) -> dict[str, int]:
    """A vocabulary that was saved as a list of words, or as words and their numbers."""
    saved = json.loads(path.read_text(encoding="utf-8"))
    if isinstance(saved, dict):
        return saved
    return {word: number for number, word in enumerate(saved)}


class _Vocabulary(dict[str, int]):
    """Gives a token that it is asked for the next number."""

    def __missing__(self, token: str) -> int:
        self[token] = number = len(self)
        return number


def _tallied(
    documents: Iterable[Document], vocabulary: _Vocabulary, size: int
) -> tuple[Numbers, Numbers, dict[int, int]]:
    """Keys in order (token times `size` plus row) and counts of documents, and their lengths."""
    lengths: dict[int, int] = {}
    keys, counts = [np.zeros(0, np.int64)], [np.zeros(0, np.int32)]
    for chunk in _chunks(_numbered(documents, vocabulary)):
        found = [numbers * size + row for row, numbers in chunk]
        lengths |= {row: len(numbers) for row, numbers in chunk}
        chunk_keys, chunk_counts = np.unique(np.concatenate(found), return_counts=True)
        keys.append(chunk_keys)
        counts.append(chunk_counts.astype(np.int32))
    all_keys = np.concatenate(keys)
    order = np.argsort(all_keys, kind="stable")
    return all_keys[order], np.concatenate(counts)[order], lengths


def _numbered(
    documents: Iterable[Document], vocabulary: _Vocabulary
) -> Iterator[tuple[int, Numbers]]:
    number = vocabulary.__getitem__
    for row, tokens in documents:
        yield row, np.fromiter(map(number, tokens), np.int64, len(tokens))


def _chunks(documents: Iterable[tuple[int, Numbers]]) -> Iterator[list[tuple[int, Numbers]]]:
    rest = iter(documents)
    while chunk := list(islice(rest, _AT_ONCE)):
        yield chunk
