"""Whether the Chroma server of some settings answers, for `youju doctor`."""

from contextlib import closing
from dataclasses import dataclass
from time import perf_counter

from rag.chroma_address import Address
from rag.chroma_server import Server
from rag.journal import Journal
from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Reached:
    """A server that answered: how fast, how many collections it holds, who builds there now."""

    milliseconds: float
    collections: int
    builder: str | None


def reach(settings: Settings) -> Reached:
    """Ask the server; VectorsUnreachable says why it cannot be."""
    with closing(Server(Address.of(settings), patience=settings.chroma_deadline)) as server:
        state = Journal(server).state()
        began = perf_counter()
        server.now()
        took = 1000 * (perf_counter() - began)
        return Reached(took, len(server.names()), state.builder.told if state.builder else None)
