"""The vectors of one generation: a Chroma collection, written once and then only asked.

Asking goes to Chroma's own engine without its Python client, which takes 0.9 s and 55 MB to
import: opening and the first question take 0.1 s instead of 1.2 s. Where the engine is not as in
the pinned release, the client answers. Both read the same files, and so does LlamaIndex's
ChromaVectorStore: the metadata of a passage holds its whole TextNode.
"""

import shutil
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing, contextmanager
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "passages"
_DATABASE = "chroma.sqlite3"
_FICLONE = 0x40049409  # Linux: let two files share their blocks until one is written to
# 10,000 clustered vectors, the best 50: recall 0.972 by default, 0.9999 with ef_search 400 and
# 16 neighbours, 1.0 with 32; 2.5 ms a query. sync_threshold 1 leaves nothing in the write-ahead
# log, which every reader would otherwise replay.
_HNSW = {
    "space": "cosine",
    "ef_search": 400,
    "ef_construction": 200,
    "max_neighbors": 32,
    "batch_size": 1,
    "sync_threshold": 1,
}
_BATCH = 5000  # Chroma refuses more than 5,461 at once
FINGERPRINT = f"chroma-2/{_HNSW}"

Answer = list[tuple[str, float]]


class Collection:
    """A collection opened for asking. Any thread may ask; queries release the GIL."""

    def __init__(self, count: Callable[[], int], query: Any, close: Callable[[], None]) -> None:
        self._count, self._query, self._close = count, query, close

    @classmethod
    def open(cls, directory: Path) -> "Collection":
        """Open the collection of a directory; whatever Chroma raises when it is damaged."""
        try:
            return _by_engine(directory)
        except (ImportError, AttributeError, TypeError):  # another release of Chroma
            return _by_client(directory)

    def __len__(self) -> int:
        return self._count()

    def nearest(self, vector: "NDArray[np.float32]", k: int) -> Answer:
        """The ids of the k nearest passages and their cosine similarities, in Chroma's order."""
        found = self._query([vector.tolist()], k)
        return [(i, 1.0 - d) for i, d in zip(found[0][0], found[1][0], strict=True)]

    def close(self) -> None:
        self._close()


@contextmanager
def writable(directory: Path) -> Iterator[Any]:
    """The collection of a directory, made when there is none; closed when the block ends."""
    client = _client(directory)
    try:
        yield made_in(client, NAME)
    finally:
        client.close()


def copy_frozen(source: Path, copy: Path) -> None:
    """Copy a collection's directory file by file, for a writer; readers may have it open.

    Never by hard links: a writer changes files in place. SQLite copies its own file, since opening
    a collection writes to it, and finds damage on the way: sqlite3.DatabaseError.
    """
    for path in source.rglob("*"):
        target = copy / path.relative_to(source)
        target.parent.mkdir(parents=True, exist_ok=True)
        if path.name == _DATABASE:
            _copy_database(path, target)
        elif path.is_file() and not path.name.startswith(_DATABASE):
            _copy_file(path, target)


def made_in(client: Any, name: str) -> Any:
    """A collection of any client of Chroma's, made with our settings unless it is there."""
    return client.get_or_create_collection(
        name, embedding_function=None, configuration={"hnsw": _HNSW}
    )


def fill(
    collection: Any,
    rows: Sequence[int],
    nodes: Callable[[Sequence[int]], Sequence[Any]],
    progress: Callable[[int], None],
) -> None:
    """Add rows, in batches; `nodes` makes LlamaIndex nodes that carry their embeddings."""
    for start, end in _batches(len(rows)):
        _add(collection, nodes(rows[start:end]))
        progress(end)


def take_out(collection: Any, ids: Sequence[str]) -> None:
    """Delete vectors; the graph keeps their places, which nothing finds any more."""
    for start, end in _batches(len(ids)):
        collection.delete(ids=list(ids[start:end]))


def _add(collection: Any, nodes: Sequence[Any]) -> None:
    from llama_index.vector_stores.chroma import ChromaVectorStore

    # A batch at a time, for the vector store's own batches are larger than Chroma accepts.
    ChromaVectorStore(chroma_collection=collection).add(list(nodes))


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


def _by_engine(directory: Path) -> Collection:
    import chromadb_rust_bindings as engine

    bindings = engine.Bindings(
        allow_reset=False,
        sqlite_db_config=engine.SqliteDBConfig(
            hash_type=engine.MigrationHash.MD5,
            migration_mode=engine.MigrationMode.Validate,
            url=str(directory / _DATABASE),
        ),
        persist_path=str(directory),
        hnsw_cache_size=8,
    )
    place = ("default_tenant", "default_database")
    ident = str(bindings.get_collection(NAME, *place).id)
    held = [bindings]

    def query(vectors: list[list[float]], k: int) -> Any:
        found = held[0].query(ident, None, vectors, k, None, None, ["distances"], *place)
        return found.ids, found.distances

    return Collection(lambda: held[0].count(ident, *place), query, held.clear)


def _by_client(directory: Path) -> Collection:
    client = _client(directory)
    collection = client.get_collection(NAME, embedding_function=None)

    def query(vectors: list[list[float]], k: int) -> Any:
        found = collection.query(query_embeddings=vectors, n_results=k, include=["distances"])
        return found["ids"], found["distances"]

    return Collection(collection.count, query, client.close)


def _client(directory: Path) -> Any:
    import chromadb
    from chromadb.config import Settings

    return chromadb.PersistentClient(str(directory), Settings(anonymized_telemetry=False))
