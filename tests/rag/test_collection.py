"""Asking a collection whose engine fails now and then, or for good."""

import numpy as np
import pytest

from rag.collection import Collection

VECTOR = np.zeros(2, dtype=np.float32)


def failing(times: int) -> tuple[Collection, list[int]]:
    """A collection whose query fails so many times first, and the k of each time it was asked."""
    asked: list[int] = []

    def query(_vectors: list[list[float]], k: int) -> object:
        asked.append(k)
        if len(asked) <= times:
            raise RuntimeError(f"unable to open database file, time {len(asked)}")
        return [["p1", "p2"]], [[0.25, 0.5]]

    return Collection(lambda: 2, query, lambda: None), asked


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_query_that_fails_is_asked_again(times: int) -> None:
    collection, asked = failing(times)

    assert collection.nearest(VECTOR, 2) == [("p1", 0.75), ("p2", 0.5)]
    assert asked == [2] * (times + 1)


def test_a_query_that_never_succeeds_says_why_and_is_not_asked_for_ever() -> None:
    collection, asked = failing(1000)

    with pytest.raises(RuntimeError, match="unable to open"):
        collection.nearest(VECTOR, 2)
    assert len(asked) == 4
