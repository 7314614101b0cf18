"""The vectors of one generation: a Chroma collection, written once and then only asked.

Asking goes to Chroma's own engine without its Python client, which takes 0.9 s and 55 MB to
import: opening and the first question take 0.1 s instead of 1.2 s. Where the engine is not as in
the pinned release, the client answers. Both read the same files, and so does LlamaIndex's
ChromaVectorStore: the metadata of a passage holds its whole TextNode.
"""

from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

NAME = "passages"
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
FINGERPRINT = f"chroma-1/{_HNSW}"

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


def write_collection(
    directory: Path,
    size: int,
    nodes: Callable[[int, int], Sequence[Any]],
    progress: Callable[[int], None],
) -> None:
    """Write `size` LlamaIndex nodes that carry embeddings; `nodes(start, end)` makes a batch."""
    client = _client(directory)
    try:
        collection = client.create_collection(
            NAME, embedding_function=None, configuration={"hnsw": _HNSW}
        )
        for start, end in _batches(size):
            _add(collection, nodes(start, end))
            progress(end)
    finally:
        client.close()


def _add(collection: Any, nodes: Sequence[Any]) -> None:
    from llama_index.vector_stores.chroma import ChromaVectorStore

    # A batch at a time, for the vector store's own batches are larger than Chroma accepts.
    ChromaVectorStore(chroma_collection=collection).add(list(nodes))


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
            url=str(directory / "chroma.sqlite3"),
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
