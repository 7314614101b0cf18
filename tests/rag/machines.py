"""Machines over one Chroma server, each with a shelf and a store, and how to ask them."""

import os
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from rag.chroma_address import Address
from rag.generations import GenerationStore
from rag.journal import JOURNAL
from rag.retrieve import Retrieval, Retriever
from rag.server_shelf import ServerShelf
from tests.rag.tiny_index import HashEmbedder

# Together they take a minute of two cores; what everyone runs has a smaller one of each kind.
thorough = pytest.mark.skipif(
    not os.environ.get("YOUJU_TEST_SERVER"),
    reason="long: YOUJU_TEST_SERVER=20, a number of kills, runs it",
)
PATIENCE = 60.0  # seconds until a busy machine has surely come round to it


class Machines:
    """Shelves and stores of several machines over one database."""

    def __init__(self, address: Address, home: Path, stack: ExitStack) -> None:
        self.address, self.home, self._stack = address, home, stack

    def shelf(self, machine: str, **others: Any) -> ServerShelf:
        given: dict[str, Any] = {"deadline": 20.0, "patience": PATIENCE, **others}
        shelf = ServerShelf(self.address, self.home / machine, **given)
        self._stack.callback(shelf.close)
        return shelf

    def store(self, machine: str, **others: Any) -> GenerationStore:
        shelf = self.shelf(machine, **others)
        store = GenerationStore(shelf.data_dir, shelf=shelf)
        self._stack.callback(store.close)
        return store


def asked(store: GenerationStore, question: str = "貓怕水") -> Retrieval:
    with store.lease() as generation:
        return Retriever(HashEmbedder()).retrieve(generation, question, k=1)


def best(store: GenerationStore, question: str = "貓怕水") -> str:
    return asked(store, question).hits[0].passage.text


def impatient(store: GenerationStore) -> None:
    """From now on a question waits half a second; at first a busy machine may need more."""
    store.shelf._deadline = store.shelf.pointers._deadline = 0.5  # type: ignore[attr-defined]


def eventually(found: Callable[[], bool]) -> None:
    until = time.monotonic() + PATIENCE
    while not found():
        assert time.monotonic() < until
        time.sleep(0.05)


def collections(shelf: ServerShelf) -> set[str]:
    return {name for name in shelf.server.names() if name != JOURNAL}
