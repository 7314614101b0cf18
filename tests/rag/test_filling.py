"""Writing a collection whose engine finds its own database locked now and then."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from rag import filling
from rag.collection import Collection
from rag.collection import engine as opened

VECTORS = np.eye(2, dtype=np.float32)


class Locked:
    """Chroma's engine; it finds its database locked so many times when told other settings."""

    def __init__(self, engine: Any, times: int) -> None:
        self._engine, self.left = engine, times

    def __getattr__(self, name: str) -> Any:
        return getattr(self._engine, name)

    def update_collection(self, *settings: object) -> None:
        if self.left:
            self.left -= 1
            raise RuntimeError("database is locked")
        self._engine.update_collection(*settings)


def locked(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def engine(directory: Path, *, writing: bool) -> Locked:
        return Locked(opened(directory, writing=writing), times)

    monkeypatch.setattr(filling, "engine", engine)


@pytest.mark.parametrize("times", [1, 3])
def test_a_database_that_is_locked_for_a_moment_is_filled(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(times, monkeypatch)

    with filling.writable(tmp_path, 2) as collection:
        collection.add(ids=["a", "b"], embeddings=VECTORS)

    filled = Collection.open(tmp_path)
    assert [ident for ident, _ in filled.nearest(VECTORS[1], 2)] == ["b", "a"]
    filled.close()


def test_a_database_that_stays_locked_is_told_of(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    locked(1000, monkeypatch)

    with pytest.raises(RuntimeError, match="locked"), filling.writable(tmp_path, 2):
        pytest.fail("a collection was given out")
