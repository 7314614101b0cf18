"""The vectors of one generation are written: a Chroma collection is made or copied, then filled.

By Chroma's engine without its Python client, as in `rag.collection`, which saves the builder a
second. Adding holds the GIL, so this is for a process of its own.
"""

import json
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

from rag.collection import DATABASE, NAME, NOT_THIS_ENGINE, PLACE, client, engine, persistently
from rag.entries import FINGERPRINT as ENTRIES_FINGERPRINT
from rag.entries import Entries

if TYPE_CHECKING:
    from numpy.typing import NDArray

_FICLONE = 0x40049409  # Linux: let two files share their blocks until one is written to
# 10,000 clustered vectors, the best 50: recall 0.972 by default, 0.9999 with ef_search 400 and
# 16 neighbours, 1.0 with 32; 2.5 ms a query. 100,000 vectors of random characters, the best 10:
# 0.84 with ef_search 400, 0.95 with 1,000, 0.98 with 1,600. sync_threshold 1 leaves nothing in the
# write-ahead log, which every reader would otherwise replay.
_LEAST, _SHARE = 400, 100  # ef_search: one in a hundred passages, where that is more than 400
_HNSW = {
    "space": "cosine",
    "ef_search": _LEAST,
    "ef_construction": 200,
    "max_neighbors": 32,
    "batch_size": 1,
    "sync_threshold": 1,
}
_BATCH = 5000  # Chroma refuses more than 5,461 at once
FINGERPRINT = f"chroma-3/{_HNSW}/{_SHARE}/{ENTRIES_FINGERPRINT}"


@contextmanager
def writable(directory: Path, passages: int = 0) -> Iterator[Any]:
    """The collection of a directory, made when there is none; closed when the block ends.

    It has `add` and `delete` as Chroma's own, by ids. `passages` is how many it will hold.
    """
    try:
        collection = _Engine(directory, passages)
    except NOT_THIS_ENGINE:
        with closing(client(directory)) as opened:
            yield made_in(opened, NAME, passages)
        return
    with closing(collection):
        yield collection


def copy_frozen(source: Path, copy: Path) -> None:
    """Copy a collection's directory file by file, for a writer; readers may have it open.

    Never by hard links: a writer changes files in place. SQLite copies its own file, since opening
    a collection writes to it, and finds damage on the way: sqlite3.DatabaseError.
    """
    for path in source.rglob("*"):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == DATABASE:
            _copy_database(path, target)
        elif path.is_file() and not path.name.startswith(DATABASE):
            _copy_file(path, target)


def made_in(client: Any, name: str, passages: int = 0) -> Any:
    """A collection of any client of Chroma's, made unless it is there, set for so many passages."""
    searched = _searched(passages)
    collection = client.get_or_create_collection(
        name, embedding_function=None, configuration={"hnsw": _HNSW | searched}
    )
    if not searched.items() <= collection.configuration_json["hnsw"].items():
        collection.modify(configuration={"hnsw": searched})
    return collection


def fill(
    collection: Any,
    rows: Sequence[int],
    entries: Callable[[Sequence[int]], Entries],
    progress: Callable[[int], None],
) -> None:
    """Add rows, in batches that Chroma accepts."""
    for start, end in _batches(len(rows)):
        made = entries(rows[start:end])
        collection.add(ids=made.ids, embeddings=made.vectors, metadatas=made.metadata)
        progress(end)


def take_out(collection: Any, ids: Sequence[str]) -> None:
    """Delete vectors; the graph keeps their places, which nothing finds any more."""
    for start, end in _batches(len(ids)):
        collection.delete(ids=list(ids[start:end]))


class _Engine:
    """A collection in a directory, for writing."""

    def __init__(self, directory: Path, passages: int) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        searched = _searched(passages)
        fresh = {"hnsw": _HNSW | searched, "spann": None, "embedding_function": {"type": "legacy"}}
        self._held = [engine(directory, writing=True)]
        made = self._held[0].create_collection(NAME, json.dumps(fresh), None, None, True, *PLACE)
        self._ident = str(made.id)
        # One that was copied is set as it was for as many as it held before.
        change = json.dumps({"hnsw": searched, "spann": None, "embedding_function": None})
        persistently(lambda: self._held[0].update_collection(self._ident, None, None, change))

    def add(
        self,
        ids: Sequence[str],
        embeddings: "NDArray[Any]",
        metadatas: Sequence[dict[str, Any]] | None = None,
    ) -> None:
        self._held[0].add([*ids], self._ident, embeddings, metadatas, None, None, *PLACE)

    def delete(self, ids: Sequence[str]) -> None:
        self._held[0].delete(self._ident, [*ids], None, None, None, *PLACE)

    def close(self) -> None:
        self._held.clear()


def _searched(passages: int) -> dict[str, int]:
    """How many candidates a question looks at in a graph of so many."""
    return {"ef_search": max(_LEAST, passages // _SHARE)}


def _copy_database(path: Path, target: Path) -> None:
    with closing(sqlite3.connect(path)) as source, closing(sqlite3.connect(target)) as copy:
        source.backup(copy)
        verdict = copy.execute("PRAGMA quick_check(1)").fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(verdict)


def _copy_file(path: Path, target: Path) -> None:
    """Share the blocks where the file system can (Btrfs, XFS), else copy them."""
    with path.open("rb") as source, target.open("wb") as copy:
        try:
            import fcntl

            fcntl.ioctl(copy, _FICLONE, source.fileno())
        except (ImportError, OSError):
            shutil.copyfileobj(source, copy, 1 << 20)


def _batches(size: int) -> Iterator[tuple[int, int]]:
    """Spans of nearly one size, so that the last one is no crumb."""
    count = -(-size // _BATCH)
    return pairwise(size * i // count for i in range(count + 1)) if count else iter(())
