"""Whether a message is said to the bot instead of asked of the articles, by its vector.

rag.addressed knows the plainest wordings of small talk, orders and chores; people have many more.
A logistic model over the shipped embedding's vector of the message, fitted by training.fit_asides,
knows their kind. It says nothing of other embeddings' vectors.
"""

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from rag.embed import Embedder
from rag.errors import BrokenModel

SHIPPED = Path(__file__).parent / "models" / "asides.json"


@dataclass(frozen=True, slots=True)
class Asides:
    """A weight for each dimension of a vector of one embedding model.

    `embedding` is that model's own part of an embedder's fingerprint; another folding of the text
    changes next to nothing here.
    """

    embedding: str
    weights: tuple[float, ...]
    bias: float

    def chance(self, embedder: Embedder, vector: NDArray[np.float32]) -> float:
        """How likely, 0 to 1, a message of this vector is an aside; 0 from another embedding."""
        if model_of(embedder) != self.embedding:
            return 0.0
        logit = self.bias + float(np.dot(self.weights, vector))
        return 1.0 / (1.0 + math.exp(-max(-30.0, min(30.0, logit))))


def model_of(embedder: Embedder) -> str:
    """The part of a fingerprint that stands for the model."""
    return embedder.fingerprint.partition("/")[0]


@lru_cache(maxsize=1)
def load_asides(path: Path = SHIPPED) -> Asides:
    """The fitted model; BrokenModel when the file is damaged."""
    try:
        told = json.loads(path.read_text(encoding="utf-8"))
        weights: Sequence[float] = told["weights"]
        return Asides(str(told["embedding"]), tuple(map(float, weights)), float(told["bias"]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise BrokenModel(path, f"{type(error).__name__}: {error}") from error
