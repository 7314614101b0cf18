"""A staged generation is asked as a reader asks it, before it may serve."""

from collections.abc import Sequence

import numpy as np

from corpus.article import Passage
from rag.assemble import Material, Vectors
from rag.difference import Difference
from rag.errors import BuilderFailed
from rag.generation import Generation
from rag.result import Listener, Progress

_SAMPLE = 50  # passages that are looked for before a generation serves
_NEIGHBOURS = 10  # of each of them, that should be the nearest there are
GOOD = 0.9  # of all these neighbours, that a graph finds; below, it is told
# A fresh graph that finds half may serve, for the words are searched beside it, and building it
# again would give the same: 100,000 passages of random characters left 15 % unfound.
_BROKEN = 0.5
_SLACK = 0.05  # that a copied graph may find less than the fresh one it comes from


def verify(
    generation: Generation,
    material: Material,
    vectors: Vectors,
    tell: Listener,
    change: Difference | None = None,
) -> float:
    """The share of a sample's nearest that the graph finds; BuilderFailed unless all is there.

    A graph that was copied and changed must find nearly what the one before found, and each
    passage by itself, for otherwise it can be built afresh; its new rows are looked at besides.
    """
    _verify_counts(generation, len(material.passages))
    rows = sorted({*_spread(range(len(vectors))), *_spread(change.new if change else ())})
    wanted, missed = min(_NEIGHBOURS, len(vectors)), []
    for done, row in enumerate(rows):
        tell(Progress("verify", done, len(rows)))
        missed.append(_missed(generation, row, vectors, wanted))
        _verify_words(generation, row, material.passages[row])
    share = 1 - sum(missed) / (len(rows) * wanted)
    if share < _least(change):
        raise BuilderFailed(f"{sum(missed)} of the nearest to {len(rows)} passages are not found")
    if change is not None and wanted in missed:
        raise BuilderFailed(f"passage {rows[missed.index(wanted)]} does not find itself")
    tell(Progress("verify", len(rows), len(rows)))
    return share


def _least(change: Difference | None) -> float:
    return _BROKEN if change is None else min(GOOD, change.before.manifest.nearest - _SLACK)


def _spread(rows: Sequence[int]) -> list[int]:
    """A sample over all of them."""
    at = np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows)), dtype=int)
    return [rows[i] for i in at.tolist()]


def _verify_counts(generation: Generation, passages: int) -> None:
    counts = {
        "texts": len(generation.content),
        "words": len(generation.lexical),
        "vectors": generation.vectors(),
    }
    if set(counts.values()) != {passages}:
        raise BuilderFailed(f"{passages} passages were to be stored, found {counts}")


def _missed(generation: Generation, row: int, vectors: Vectors, wanted: int) -> int:
    """How many of the nearest to a passage are not found; all when it does not find itself.

    Itself, or one with the same vector. A vector that was deleted and comes back has no text, and
    leaves its place empty.
    """
    own = vectors[row]
    if not 0.99 < float(own @ own) < 1.01:
        return 0  # a text without a known word has no direction to be found by
    found = generation.nearest(own, wanted)
    if len(found) < wanted:
        raise BuilderFailed(f"passage {row} finds {wanted - len(found)} vectors without a text")
    cosines = vectors @ own
    for other, cosine in found:
        if abs(float(cosines[other]) - cosine) > 0.01:
            raise BuilderFailed(f"passage {other} is found by a vector that is not its own")
    if found[0][1] < 0.999:
        return wanted
    nearest = np.partition(cosines, len(vectors) - wanted)[len(vectors) - wanted :]
    return sum(cosine < float(nearest.min()) - 1e-4 for _, cosine in found)


def _verify_words(generation: Generation, row: int, passage: Passage) -> None:
    scores = generation.lexical.scores(passage.text[:200]).ngrams
    if scores[row] <= 0 and any(char.isalnum() for char in passage.text[:200]):
        raise BuilderFailed(f"passage {row} does not find itself by its words")
