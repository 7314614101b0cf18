"""Machines over a Chroma server that all tests share, over one of their own, or behind a gate."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from rag.chroma_address import Address
from tests.chroma_server import TOKEN, ChromaServer, Gate, gate_before
from tests.rag.machines import Machines


@pytest.fixture
def machines(
    chroma: ChromaServer, tmp_path: Path, request: pytest.FixtureRequest
) -> Iterator[Machines]:
    database = f"db-{abs(hash(request.node.name)) % 10**12}"
    with ExitStack() as stack:
        yield Machines(Address(chroma.url, database=database), tmp_path, stack)


@pytest.fixture
def own(tmp_path: Path) -> Iterator[tuple[ChromaServer, Machines]]:
    """A server that the test may kill."""
    server = ChromaServer(tmp_path / "chroma")
    server.start()
    with ExitStack() as stack:
        stack.callback(server.kill)
        yield server, Machines(Address(server.url), tmp_path, stack)


@pytest.fixture
def gated(machines: Machines, chroma: ChromaServer) -> Iterator[tuple[Gate, Machines]]:
    """Machines that reach the server through a gate only."""
    with gate_before(chroma) as gate:
        behind = Address(gate.url, TOKEN, database=machines.address.database)
        machines.address = behind
        yield gate, machines
