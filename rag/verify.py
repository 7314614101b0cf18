"""A staged generation is asked as a reader asks it, before it may serve."""

from collections.abc import Sequence

import numpy as np

from corpus.article import Passage
from rag.assemble import Listener, Material, Vectors
from rag.errors import BuilderFailed
from rag.generation import Generation
from rag.result import Progress

_SAMPLE = 50  # passages that must find themselves before a generation serves
_NEIGHBOURS = 10  # of each of them, that must be the nearest there are
# Of all these neighbours. A fresh graph misses up to 2 % where hundreds of passages are equal.
_RECALL = 0.9


def verify(
    generation: Generation,
    material: Material,
    vectors: Vectors,
    tell: Listener,
    new: Sequence[int] = (),
) -> None:
    """BuilderFailed unless all is there and findable; `new` rows are looked at besides others."""
    _verify_counts(generation, len(material.passages))
    rows = sorted({*_spread(range(len(vectors))), *_spread(new)})
    missed = 0
    for done, row in enumerate(rows):
        tell(Progress("verify", done, len(rows)))
        missed += _verify_vector(generation, row, vectors)
        _verify_words(generation, row, material.passages[row])
    if missed > (1 - _RECALL) * len(rows) * _NEIGHBOURS:
        raise BuilderFailed(f"{missed} of the nearest to {len(rows)} passages are not found")
    tell(Progress("verify", len(rows), len(rows)))


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


def _verify_vector(generation: Generation, row: int, vectors: Vectors) -> int:
    """The nearest to a passage is itself, or one with the same vector; how many others it misses.

    A vector that was deleted and comes back has no text, and leaves its place empty.
    """
    own = vectors[row]
    if not 0.99 < float(own @ own) < 1.01:
        return 0  # a text without a known word has no direction to be found by
    wanted = min(_NEIGHBOURS, len(vectors))
    found = generation.nearest(own, wanted)
    if not found or float(vectors[found[0][0]] @ own) < 0.999 or abs(found[0][1] - 1) > 0.001:
        raise BuilderFailed(f"passage {row} does not find itself by its vector (found {found[:1]})")
    if len(found) < wanted:
        raise BuilderFailed(f"passage {row} finds {wanted - len(found)} vectors without a text")
    nearest = np.partition(vectors @ own, len(vectors) - wanted)[len(vectors) - wanted :]
    return sum(cosine < float(nearest.min()) - 1e-4 for _, cosine in found)


def _verify_words(generation: Generation, row: int, passage: Passage) -> None:
    scores = generation.lexical.scores(passage.text[:200]).ngrams
    if scores[row] <= 0 and any(char.isalnum() for char in passage.text[:200]):
        raise BuilderFailed(f"passage {row} does not find itself by its words")
