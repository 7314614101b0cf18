"""A collection on a server as its builder writes it: calls that wait while the server restarts."""

from collections.abc import Callable
from typing import Any

from rag.chroma_server import Missing, Server
from rag.errors import BuilderFailed, VectorsGone, VectorsUnreachable


class Patient:
    """A collection for the builder, with the methods of Chroma's own: it waits for the server."""

    def __init__(self, server: Server, name: str, require_lease: Callable[[], None]) -> None:
        self._server, self._name, self._require_lease = server, name, require_lease

    def __getattr__(self, method: str) -> Callable[..., Any]:
        def call(*values: Any, **named: Any) -> Any:
            return self._do(lambda collection: getattr(collection, method)(*values, **named))

        return call

    def found(self, wanted: list[list[float]], k: int) -> Any:
        return self._do(lambda collection: queried(collection, wanted, k))

    def _do(self, action: Callable[[Any], Any]) -> Any:
        try:
            return self._server.on(self._name, action)
        except Missing:
            self._require_lease()  # another builder may have swept it away
            raise VectorsGone(self._name) from None
        except VectorsUnreachable as error:
            # Not to be taken for a reader's: a canary must not pass or fall by words alone.
            raise BuilderFailed(str(error)) from error


def queried(collection: Any, wanted: list[list[float]], k: int) -> Any:
    """The ids and the distances of the nearest to some vectors."""
    found = collection.query(query_embeddings=wanted, n_results=k, include=["distances"])
    return found["ids"], found["distances"]
