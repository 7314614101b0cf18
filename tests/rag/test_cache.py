"""The embedding cache gives back what was put in, survives a kill, and starts anew when damaged."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

from rag.cache import EmbeddingCache, key_of

REPOSITORY = Path(__file__).resolve().parents[2]
KEYS = [key_of("model", text) for text in ("貓", "狗", "鳥")]
VECTORS = {key: np.full(4, number, np.float32) for number, key in enumerate(KEYS)}


def test_a_key_tells_models_and_texts_apart() -> None:
    keys = {key_of("a", "b"), key_of("a", "c"), key_of("b", "b"), key_of("", "ab")}

    assert len(keys) == 4


def test_vectors_come_back_as_they_were(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(VECTORS)
    cache.close()

    again = EmbeddingCache(tmp_path / "cache.sqlite")
    found = again.get_many([*KEYS, key_of("model", "魚")])
    again.close()

    assert found.keys() == VECTORS.keys()
    for key in KEYS:
        np.testing.assert_array_equal(found[key], VECTORS[key])


def test_thousands_of_keys_are_looked_up_at_once(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    many = {key_of("m", str(n)): np.full(2, n, np.float32) for n in range(3000)}
    cache.put_many(many)

    assert len(cache.get_many(list(many))) == 3000
    cache.close()


@pytest.mark.parametrize("damage", [b"", b"nonsense" * 500], ids=["emptied", "overwritten"])
def test_a_damaged_file_costs_the_vectors_but_no_error(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, damage: bytes
) -> None:
    path = tmp_path / "cache.sqlite"
    path.write_bytes(damage)

    with caplog.at_level(logging.WARNING):
        cache = EmbeddingCache(path)
    cache.put_many(VECTORS)

    assert len(cache.get_many(KEYS)) == 3
    assert ("set aside" in caplog.text) == bool(damage)
    assert len(list(tmp_path.glob("*.damaged-*"))) == bool(damage)
    cache.close()


def test_damage_in_the_middle_is_noticed_when_read(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    cache = EmbeddingCache(path)
    many = {key_of("m", str(n)): np.full(64, n, np.float32) for n in range(2000)}
    cache.put_many(many)
    cache.close()
    with path.open("r+b") as file:
        file.seek(20_000)
        file.write(b"\xff" * 200_000)

    cache = EmbeddingCache(path)
    cache.get_many(list(many))
    cache.put_many(VECTORS)

    assert len(cache.get_many(KEYS)) == 3
    cache.close()


def test_a_killed_writer_leaves_whole_batches(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    script = (
        "import sys, numpy as np; from pathlib import Path;"
        "from rag.cache import EmbeddingCache, key_of;"
        f"cache = EmbeddingCache(Path({str(path)!r}));\n"
        "for b in range(10**6):\n"
        "    cache.put_many({key_of('m', f'{b}/{n}'): np.ones(8, np.float32) for n in range(50)})\n"
        "    print(b, flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script],
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as writer:
        assert writer.stdout is not None
        writer.stdout.readline()
        time.sleep(0.1)
        writer.send_signal(signal.SIGKILL)

    cache = EmbeddingCache(path)
    assert len(cache) >= 50
    assert len(cache) % 50 == 0
    cache.close()


def test_pruning_forgets_the_unused_once_there_are_too_many(tmp_path: Path) -> None:
    cache = EmbeddingCache(tmp_path / "cache.sqlite")
    cache.put_many(VECTORS)

    assert cache.prune([KEYS[0]], room=3) == 0
    assert cache.prune([KEYS[0]], room=2) == 2
    assert list(cache.get_many(KEYS)) == [KEYS[0]]
    cache.close()


def test_a_glance_writes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "cache.sqlite"
    with EmbeddingCache.glance(path) as cache:
        assert cache is None
    cache = EmbeddingCache(path)
    cache.put_many(VECTORS)
    cache.close()

    with EmbeddingCache.glance(path) as glanced:
        assert glanced is not None
        assert len(glanced.get_many(KEYS)) == 3
    assert [p.name for p in tmp_path.iterdir()] == ["cache.sqlite"]
