"""A Chroma server that fails: words answer meanwhile, and all is well again by itself."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing

import pytest

from rag.chroma_address import Address
from rag.errors import (
    ChromaMismatch,
    ChromaRefused,
    ChromaUnreachable,
    VectorsGone,
    VectorsUnreachable,
)
from rag.journal import JOURNAL
from rag.parcels import vectors_of
from rag.result import VECTORS
from tests.chroma_server import TOKEN, ChromaServer, Gate
from tests.rag.machines import (
    Machines,
    asked,
    best,
    collections,
    eventually,
    impatient,
    thorough,
)
from tests.rag.server_index import CATS, DOGS, publish_on


def test_vectors_that_are_gone_from_the_server_leave_the_words(machines: Machines) -> None:
    builder, reader = machines.shelf("one"), machines.store("two")
    name = publish_on(builder, CATS)
    asked(reader)
    builder.server.drop(vectors_of(name))

    found = asked(reader)

    assert found.degraded == VECTORS
    assert found.hits[0].passage.text == "貓怕水，所以不洗澡。"
    assert builder.damage(name) is not None
    with reader.lease() as generation, pytest.raises(VectorsGone):
        generation.vectors()


FAULTS = {
    "401": ChromaRefused,
    "500": ChromaUnreachable,
    "cut": ChromaUnreachable,
    "slow": ChromaUnreachable,
    "html": ChromaMismatch,
}


@pytest.mark.parametrize(
    "fault",
    [pytest.param(f, marks=thorough) if f in ("slow", "html") else f for f in FAULTS],
)
def test_while_the_server_fails_words_answer_and_then_all_is_well_again(
    gated: tuple[Gate, Machines], fault: str
) -> None:
    gate, machines = gated
    publish_on(machines.shelf("one"), CATS)
    reader = machines.store("two", deadline=20.0)
    assert asked(reader).degraded is None
    impatient(reader)

    gate.fault = fault
    with reader.lease() as generation, pytest.raises(FAULTS[fault]):
        generation.vectors()
    degraded = [asked(reader) for _ in range(3)]
    gate.fault = None

    assert {found.degraded for found in degraded} == {VECTORS}
    assert {found.hits[0].passage.text for found in degraded} == {"貓怕水，所以不洗澡。"}
    eventually(lambda: asked(reader).degraded is None)


def test_only_the_first_question_waits_for_a_server_that_hangs(
    gated: tuple[Gate, Machines],
) -> None:
    gate, machines = gated
    publish_on(machines.shelf("one"), CATS)
    reader = machines.store("two", deadline=20.0)
    asked(reader)
    reader.shelf.pointers.end()  # type: ignore[attr-defined]
    impatient(reader)
    gate.fault = "slow"
    asked(reader)
    before = gate.requests

    for _ in range(5):
        assert asked(reader).degraded == VECTORS

    assert gate.requests == before


@pytest.mark.parametrize(
    ("fault", "error"), [*FAULTS.items(), ("version", ChromaMismatch)], ids=[*FAULTS, "version"]
)
def test_a_machine_that_never_reached_the_server_says_what_is_wrong(
    gated: tuple[Gate, Machines], fault: str, error: type[VectorsUnreachable]
) -> None:
    gate, machines = gated
    gate.fault = fault
    waits = issubclass(error, ChromaUnreachable)
    store = machines.store("fresh", deadline=0.5 if waits else 20.0)

    with pytest.raises(error) as told, store.lease():
        pass

    assert TOKEN not in str(told.value)
    assert told.value.exit_code == 6


@thorough
def test_a_wrong_token_is_refused_and_another_header_may_carry_the_right_one(
    gated: tuple[Gate, Machines],
) -> None:
    gate, machines = gated
    publish_on(machines.shelf("one"), CATS)
    right = machines.address
    machines.address = Address(gate.url, "wrong", database=right.database)
    with pytest.raises(ChromaRefused), machines.store("two").lease():
        pass

    gate.header, gate.wanted = "X-Chroma-Token", TOKEN
    machines.address = Address(gate.url, TOKEN, "X-Chroma-Token", database=right.database)

    assert best(machines.store("three")) == "貓怕水，所以不洗澡。"


@thorough
def test_a_machine_that_starts_while_the_server_is_away_answers_from_its_copy(
    own: tuple[ChromaServer, Machines],
) -> None:
    server, machines = own
    publish_on(machines.shelf("one"), CATS)
    with closing(machines.store("two")) as reader:
        asked(reader)
    server.kill()

    late = machines.store("two", deadline=0.5)
    assert asked(late).degraded == VECTORS

    server.start()
    eventually(lambda: asked(late).degraded is None)


def test_a_server_killed_amid_questions_fails_none_of_them(
    own: tuple[ChromaServer, Machines],
) -> None:
    server, machines = own
    publish_on(machines.shelf("one"), CATS)
    reader = machines.store("two", deadline=20.0)
    asked(reader)
    impatient(reader)
    ended, told = threading.Event(), list[str | None]()

    def ask() -> None:
        while not ended.is_set():
            found = asked(reader)
            assert found.hits[0].passage.text == "貓怕水，所以不洗澡。"
            told.append(found.degraded)

    with ThreadPoolExecutor(2) as pool:
        running = [pool.submit(ask) for _ in range(2)]
        server.kill()
        eventually(lambda: VECTORS in told)
        server.start()
        eventually(lambda: bool(told) and told[-1] is None)
        ended.set()
        for each in running:
            each.result()


def test_a_server_restarted_amid_a_build_is_waited_for(
    own: tuple[ChromaServer, Machines],
) -> None:
    server, machines = own
    builder = machines.shelf("one")

    def restart() -> None:
        server.kill()
        threading.Timer(0.5, server.start).start()

    name = publish_on(builder, CATS, DOGS, then=restart)

    with machines.store("two").lease() as generation:
        assert generation.name == name
        assert generation.vectors() == 5


@thorough
def test_a_server_that_lost_everything_gets_it_with_the_next_build(
    own: tuple[ChromaServer, Machines],
) -> None:
    _, machines = own
    builder, reader = machines.shelf("one"), machines.store("two")
    publish_on(builder, CATS)
    asked(reader)
    for name in (*collections(builder), JOURNAL):
        builder.server.drop(name)
    assert asked(reader).degraded == VECTORS

    publish_on(builder, DOGS)

    reader.shelf.look_again()
    assert best(reader, "狗喜歡").startswith("狗")
