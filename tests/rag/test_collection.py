"""Asking a collection whose engine fails now and then, or for good."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from rag import collection
from rag.collection import Collection

VECTOR = np.zeros(2, dtype=np.float32)


class Failing:
    """An engine whose query fails so many times first; `asked` has the k of each time."""

    def __init__(self, times: int) -> None:
        self._times, self.asked = times, list[int]()

    def get_collection(self, *_: object) -> SimpleNamespace:
        return SimpleNamespace(id="7")

    def query(self, _ident: str, _ids: None, _vectors: object, k: int, *_: object) -> object:
        self.asked.append(k)
        if len(self.asked) <= self._times:
            raise RuntimeError(f"unable to open database file, time {len(self.asked)}")
        return SimpleNamespace(ids=[["p1", "p2"]], distances=[[0.25, 0.5]])


def opened(engine: Failing, monkeypatch: pytest.MonkeyPatch) -> Collection:
    monkeypatch.setattr(collection, "engine", lambda _directory: engine)
    return Collection.open(Path("anywhere"))


@pytest.mark.parametrize("times", [0, 1, 3])
def test_a_query_that_fails_is_asked_again(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    engine = Failing(times)

    found = opened(engine, monkeypatch).nearest(VECTOR, 2)

    assert found == [("p1", 0.75), ("p2", 0.5)]
    assert engine.asked == [2] * (times + 1)


def test_a_query_that_never_succeeds_says_why_and_is_not_asked_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine = Failing(1000)

    with pytest.raises(RuntimeError, match="unable to open"):
        opened(engine, monkeypatch).nearest(VECTOR, 2)
    assert len(engine.asked) == 4


def test_a_server_that_is_away_is_asked_once() -> None:
    asked: list[int] = []

    def away(_vectors: list[list[float]], k: int) -> object:
        asked.append(k)
        raise ConnectionError("it does not answer in time")

    with pytest.raises(ConnectionError, match="in time"):
        Collection(lambda: 2, away, lambda: None).nearest(VECTOR, 2)
    assert asked == [2]
