"""Generations on a real Chroma server: several machines, leases, builders that are killed."""

import json
import os
import random
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from rag import follower
from rag.errors import BrokenGeneration, BuilderBusy, BuilderFailed, NoIndex, NothingToRollBack
from rag.journal import Journal, Outpaced
from rag.parcels import files_of, vectors_of
from rag.pointer import Pointer
from rag.server_shelf import ServerShelf
from tests.chroma_server import ChromaServer, Gate
from tests.rag.machines import (
    PATIENCE,
    Machines,
    asked,
    best,
    collections,
    eventually,
    thorough,
)
from tests.rag.server_index import BIRDS, CATS, DOGS, publish_on, staged_on
from tests.rag.tiny_index import HashEmbedder

REPOSITORY = Path(__file__).resolve().parents[2]


def test_what_one_machine_builds_another_fetches_and_answers_from(machines: Machines) -> None:
    builder, reader = machines.shelf("one"), machines.store("two")
    assert reader.current() is None

    name = publish_on(builder, CATS, DOGS)

    with reader.lease() as generation:
        assert generation.name == name
        assert generation.vectors() == len(generation.content) == 5
        wanted = HashEmbedder().embed_query("dogs\n標題\n狗喜歡跑步和游泳。")
        row, cosine = generation.nearest(wanted, 1)[0]
        assert generation.content.passage(row).text == "狗喜歡跑步和游泳。"
        assert cosine == pytest.approx(1.0, abs=1e-4)
        assert generation.lexical.scores("牧羊").ngrams[3] > 0
    assert asked(reader).degraded is None
    assert collections(builder) == {vectors_of(name), files_of(name)}


def test_a_running_machine_takes_up_what_another_one_built(
    machines: Machines, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower, "EVERY", 0.1)
    builder, reader = machines.shelf("one"), machines.store("two")
    publish_on(builder, CATS)
    assert best(reader) == "貓怕水，所以不洗澡。"

    publish_on(builder, DOGS)

    eventually(lambda: best(reader, "狗喜歡").startswith("狗"))
    eventually(lambda: len(list((reader.shelf.fetched.directory).iterdir())) <= 2)  # type: ignore[attr-defined]


@thorough
def test_a_question_keeps_its_generation_over_a_switch(machines: Machines) -> None:
    builder, reader = machines.shelf("one"), machines.store("two")
    first = publish_on(builder, CATS)

    with reader.lease() as generation:
        second = publish_on(builder, DOGS)
        reader.shelf.look_again()
        with reader.lease() as later:
            assert (generation.name, later.name) == (first, second)
        assert generation.nearest(HashEmbedder().embed_query("貓怕水"), 3)


def test_questions_ask_the_server_for_vectors_and_for_nothing_else(
    gated: tuple[Gate, Machines],
) -> None:
    gate, machines = gated
    publish_on(machines.shelf("one"), CATS)
    reader = machines.store("two")
    asked(reader)
    reader.shelf.pointers.end()  # type: ignore[attr-defined]
    before = gate.requests

    for _ in range(5):
        asked(reader)

    assert gate.requests - before == 5


def test_a_rollback_on_one_machine_is_one_for_all(machines: Machines) -> None:
    builder, reader = machines.shelf("one"), machines.store("two")
    first = publish_on(builder, CATS)
    publish_on(builder, DOGS)
    assert best(reader, "狗").startswith("狗")

    assert machines.store("three").rollback() == first

    reader.shelf.look_again()
    assert best(reader).startswith("貓")
    with pytest.raises(NothingToRollBack):
        reader.rollback()


@thorough
def test_as_many_are_kept_as_asked_and_nothing_else_is_left(machines: Machines) -> None:
    builder = machines.shelf("one")
    names = [publish_on(builder, each) for each in (CATS, DOGS, BIRDS)]

    assert list(builder.names()) == [names[2], names[1]]
    kept = {each(name) for name in names[1:] for each in (vectors_of, files_of)}
    assert collections(builder) == kept
    assert [manifest.name for manifest in builder.manifests()] == [names[2], names[1]]


def test_of_two_builders_one_is_told_that_the_other_builds(machines: Machines) -> None:
    one, two = machines.shelf("one"), machines.shelf("two")

    with one.builder_lock("youju reindex"):
        with pytest.raises(BuilderBusy, match=r"youju reindex.*process"), two.builder_lock("b"):
            pass
        with pytest.raises(BuilderBusy), machines.shelf("one").builder_lock("c"):
            pass
    with two.builder_lock("b"):
        pass


@thorough
def test_builders_that_come_at_one_moment_do_not_both_begin(machines: Machines) -> None:
    shelves = [machines.shelf(f"m{n}") for n in range(4)]
    shelves[0].server.call(lambda client: client.make_place())
    together, inside = threading.Barrier(4), list[int]()

    def build(shelf: ServerShelf) -> bool:
        together.wait()
        try:
            with shelf.builder_lock("b"):
                inside.append(1)
                assert len(inside) == 1
                time.sleep(0.3)
                inside.pop()
                return True
        except BuilderBusy:
            return False

    with ThreadPoolExecutor(4) as pool:
        began = list(pool.map(build, shelves))

    assert any(began)


def test_a_builder_that_slept_past_its_lease_cannot_publish(machines: Machines) -> None:
    stale, next_one = machines.shelf("one", lease=1.0), machines.shelf("two", lease=1.0)

    with stale.builder_lock("asleep"), staged_on(stale, CATS) as staged:
        assert stale._lease is not None
        stale._lease._ended.set()  # its heart stops
        time.sleep(1.2)
        name = publish_on(next_one, DOGS)
        with pytest.raises(BuilderFailed, match="lost its turn"):
            stale.publish(staged)

    assert next_one.serving() == name
    assert collections(next_one) == {vectors_of(name), files_of(name)}


@thorough
def test_a_builder_that_slept_while_nobody_came_goes_on(machines: Machines) -> None:
    builder = machines.shelf("one", lease=0.5)

    with builder.builder_lock("asleep"), staged_on(builder, CATS) as staged:
        assert builder._lease is not None
        builder._lease._ended.set()
        time.sleep(0.7)
        name = builder.publish(staged)

    assert builder.serving() == name


def test_a_pointer_written_by_one_who_was_outpaced_in_between_is_not_taken(
    machines: Machines,
) -> None:
    builder = machines.shelf("one")
    first = publish_on(builder, CATS)
    journal = Journal(builder.server)
    seen = journal.state()
    journal.append(seen, seen.pointer, None)

    with pytest.raises(Outpaced):
        journal.append(seen, Pointer("20990101T000000-ffffff"), None)

    assert builder.serving() == first


def test_of_many_who_write_the_next_entry_one_has_written_it(machines: Machines) -> None:
    shelf = machines.shelf("one")
    shelf.server.call(lambda client: client.make_place())
    journal = Journal(shelf.server)

    def write(number: int) -> bool:
        try:
            journal.append(before, Pointer(f"20990101T000000-{number:06x}"), None)
        except Outpaced:
            return False
        return True

    for _ in range(5):
        before = journal.state()
        with ThreadPoolExecutor(4) as pool:
            won = list(pool.map(write, range(4)))
        assert sum(won) == 1
        pointer = journal.state().pointer
        assert pointer is not None
        assert pointer.current.endswith(f"{won.index(True):06x}")


@thorough
def test_the_journal_does_not_grow_for_ever(machines: Machines) -> None:
    shelf = machines.shelf("one")
    shelf.server.call(lambda client: client.make_place())
    journal, state = Journal(shelf.server), Journal(shelf.server).state()
    slept = journal.append(state, None, None)
    state = slept

    for _ in range(60):
        state = journal.append(state, None, None)

    assert len(state.nonces) <= 52
    with pytest.raises(Outpaced):
        journal.append(slept, Pointer("20990101T000000-ffffff"), None)


@pytest.mark.parametrize("name", ["../../outside", "/etc", "x", 7])
def test_a_server_cannot_name_a_directory_outside_of_ours(machines: Machines, name: Any) -> None:
    shelf = machines.shelf("one")
    shelf.server.call(lambda client: client.make_place())
    entry = {"format": 1, "number": 1, "nonce": "n", "builder": None}
    written = json.dumps(entry | {"pointer": {"current": name, "history": []}})
    Journal(shelf.server)._put("000000000001", {"entry": written}, PATIENCE, "add")

    with pytest.raises(NoIndex), machines.store("two").lease():
        pass


def test_a_killed_builder_holds_nobody_up_for_long_and_leaves_nothing(
    machines: Machines, chroma: ChromaServer
) -> None:
    home, place = machines.home / "one", machines.address.database
    with subprocess.Popen(
        [sys.executable, "-m", "tests.rag.server_index", str(home), chroma.url, place, "4"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as builder:
        assert builder.stdout is not None
        assert builder.stdout.readline().strip() == "staged"
        elsewhere = machines.shelf("two", lease=4.0)
        with pytest.raises(BuilderBusy), elsewhere.builder_lock("b"):
            pass
        builder.kill()
    half = collections(elsewhere)
    assert len(half) == 1  # the vectors; no file was sent yet

    with machines.shelf("one", lease=4.0).builder_lock("the same machine waits for nothing"):
        pass
    name = publish_on(elsewhere, DOGS)

    assert collections(elsewhere) == {vectors_of(name), files_of(name)}


@thorough
@pytest.mark.timeout(3600)
def test_a_builder_killed_at_any_moment_leaves_a_whole_generation_and_no_rest(
    machines: Machines, chroma: ChromaServer
) -> None:
    arguments = [str(machines.home / "one"), chroma.url, machines.address.database, "4", "forever"]
    reader, chance = machines.store("two"), random.Random(5)
    publish_on(machines.shelf("one"), CATS, DOGS)

    for _ in range(int(os.environ["YOUJU_TEST_SERVER"])):
        with subprocess.Popen(
            [sys.executable, "-m", "tests.rag.server_index", *arguments],
            stdout=subprocess.PIPE,
            text=True,
            cwd=REPOSITORY,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        ) as builder:
            assert builder.stdout is not None
            assert builder.stdout.readline()
            time.sleep(chance.uniform(0, 3))
            builder.kill()
        reader.shelf.look_again()
        with reader.lease() as generation:
            assert generation.vectors() == len(generation.content) == len(generation.lexical) == 5

    publish_on(machines.shelf("one"), DOGS)
    name = publish_on(machines.shelf("one"), CATS)
    kept = {each(n) for n in machines.shelf("one").names() for each in (vectors_of, files_of)}
    assert collections(machines.shelf("one")) == kept
    assert vectors_of(name) in kept


@thorough
def test_another_machine_waits_until_the_lease_of_a_dead_one_ends(machines: Machines) -> None:
    dead, next_one = machines.shelf("one", lease=1.0), machines.shelf("two", lease=1.0)
    lock = dead.builder_lock("dies")
    lock.__enter__()
    assert dead._lease is not None
    dead._lease._ended.set()

    eventually(lambda: _may_build(next_one))

    with pytest.raises(BuilderFailed):
        dead.require_lease()
    lock.__exit__(None, None, None)


def _may_build(shelf: ServerShelf) -> bool:
    try:
        with shelf.builder_lock("b"):
            return True
    except BuilderBusy:
        return False


@thorough
def test_a_damaged_copy_is_fetched_anew(machines: Machines) -> None:
    publish_on(machines.shelf("one"), CATS)
    with closing(machines.store("two")) as store, store.lease() as generation:
        path = generation.directory / "content.sqlite"
    path.write_bytes(b"\0" * path.stat().st_size)

    assert best(machines.store("two")) == "貓怕水，所以不洗澡。"


def test_what_is_damaged_on_the_server_gives_way_to_the_one_before(machines: Machines) -> None:
    builder = machines.shelf("one")
    first, second = publish_on(builder, CATS), publish_on(builder, DOGS)
    builder.server.on(files_of(second), lambda c: c.delete(ids=["content.sqlite#0"]))

    with machines.store("two").lease() as generation:
        assert generation.name == first
    assert builder.damage(second, thorough=True) == "content.sqlite#0 is not on the server"
    assert builder.damage(first, thorough=True) is None


@thorough
def test_two_readers_in_two_processes_follow_one_builder(
    machines: Machines, chroma: ChromaServer
) -> None:
    script = (
        "import sys, time; from pathlib import Path; from rag.chroma_address import Address\n"
        "from rag.generations import GenerationStore; from rag.server_shelf import ServerShelf\n"
        "address = Address(sys.argv[1], database=sys.argv[2])\n"
        "shelf = ServerShelf(address, Path(sys.argv[3]), deadline=30.0)\n"
        "store, seen = GenerationStore(shelf.data_dir, shelf=shelf), None\n"
        "while True:\n"
        "    with store.lease() as generation:\n"
        "        if generation.name != seen:\n"
        "            seen = generation.name\n"
        "            print(seen, generation.vectors(), flush=True)\n"
        "    time.sleep(0.05)\n"
    )
    builder = machines.shelf("one")
    first = publish_on(builder, CATS)
    place = machines.address.database
    readers = [
        subprocess.Popen(
            [sys.executable, "-c", script, chroma.url, place, str(machines.home / f"r{n}")],
            stdout=subprocess.PIPE,
            text=True,
            env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
        )
        for n in range(2)
    ]
    try:
        said = [reader.stdout.readline().split() for reader in readers if reader.stdout]
        second = publish_on(builder, DOGS)
        then = [reader.stdout.readline().split() for reader in readers if reader.stdout]
    finally:
        for reader in readers:
            reader.kill()
            reader.communicate()

    assert said == [[first, "3"]] * 2
    assert then == [[second, "2"]] * 2


@thorough
def test_llamaindex_reads_a_generation_on_the_server(machines: Machines) -> None:
    from llama_index.core.vector_stores.types import VectorStoreQuery
    from llama_index.vector_stores.chroma import ChromaVectorStore

    builder = machines.shelf("one")
    name = publish_on(builder, CATS, DOGS)
    vector = HashEmbedder().embed_query("cats\n標題\n貓喜歡在太陽下睡覺。").tolist()
    query = VectorStoreQuery(query_embedding=vector, similarity_top_k=1)

    found = builder.server.on(
        vectors_of(name), lambda c: ChromaVectorStore(chroma_collection=c).query(query)
    )

    assert (found.nodes or [])[0].get_content() == "貓喜歡在太陽下睡覺。"


def test_importing_the_shelf_imports_nothing_of_chromas() -> None:
    script = (
        "import rag.server_shelf, rag.shelves, sys;"
        "print([name for name in ('chromadb', 'httpx', 'tenacity') if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )

    assert told.stdout.strip() == "[]"


@thorough
def test_a_broken_generation_is_no_reason_to_forget_a_whole_one(machines: Machines) -> None:
    builder, reader = machines.shelf("one"), machines.store("two")
    first = publish_on(builder, CATS)
    asked(reader)
    second = publish_on(builder, DOGS)
    builder.server.drop(files_of(second))

    reader.shelf.look_again()

    with reader.lease() as generation:
        assert generation.name == first
    with pytest.raises(BrokenGeneration):
        machines.shelf("three").open(second)
