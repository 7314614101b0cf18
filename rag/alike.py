"""Which questions ask the same, in either script and in any wording.

The model that ships decides, whatever model retrieves: the limit below was measured with it. It
folds what it reads, so the two scripts of one question have one vector.
"""

from collections.abc import Sequence
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from rag.embed import Embedder, ShippedModel

Vector = NDArray[np.float32]

# The mean cosine to the questions of a group from which a question joins it. At 0.65, of 72
# paraphrases (some in English) 0.71 join, of 800 questions turned into the other script and
# region's words 0.999, of 699 other questions about the same passage 0.04. At 0.60 these are 0.82,
# 1.000 and 0.09, at 0.70 0.57, 0.998 and 0.02 (training/measure_alike.py). Shared bigrams added to
# the cosine gained nothing.
ALIKE = 0.65


@lru_cache(maxsize=1)
def _shipped() -> ShippedModel:
    return ShippedModel()


def judge(embedder: Embedder) -> Embedder:
    """The model that compares questions: the given one where it is the shipped one."""
    shipped = _shipped()
    return embedder if embedder.fingerprint == shipped.fingerprint else shipped


def group_of(
    vector: Vector, vectors: Vector, groups: Sequence[int] | NDArray[np.int64]
) -> int | None:
    """The group whose questions are most like this one, None when none is alike.

    `vectors`, shape (questions, dimensions), are the questions of the `groups` named in step.
    """
    if not len(groups):
        return None
    names, place = np.unique(np.asarray(groups), return_inverse=True)
    likeness = np.bincount(place, vectors @ vector) / np.bincount(place)
    best = int(np.argmax(likeness))
    return int(names[best]) if likeness[best] >= ALIKE else None
