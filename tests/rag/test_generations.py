"""Generations serve whole, one a question, through switches, damage and clean-ups."""

import contextlib
import json
import logging
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

from rag.errors import BrokenGeneration, DataDirUnusable, NoIndex, NothingToRollBack
from rag.generations import Generation, GenerationStore
from tests.rag.tiny_index import HashEmbedder, article, publish

REPOSITORY = Path(__file__).resolve().parents[2]
CATS = article("cats", "貓會抓老鼠，也會爬樹。", "貓喜歡在太陽下睡覺。", "貓怕水，所以不洗澡。")
DOGS = article("dogs", "狗會看門，也會牧羊。", "狗喜歡跑步和游泳。")
BIRDS = article("birds", "鳥有翅膀，會飛。", "鳥在樹上築巢。")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GenerationStore]:
    made = GenerationStore(tmp_path / "data", keep=2)
    made.data_dir.mkdir()
    yield made
    made.close()


def other_process(store: GenerationStore) -> GenerationStore:
    """A second view of the same directory, as another process has it."""
    return GenerationStore(store.data_dir, keep=2)


def nearest_text(generation: Generation, question: str) -> str:
    row, _ = generation.nearest(HashEmbedder().embed_query(question), 1)[0]
    return generation.content.passage(row).text


def test_without_an_index_there_is_nothing_to_lease(store: GenerationStore) -> None:
    assert store.current() is None
    assert store.status("model").generation is None
    with pytest.raises(NoIndex), store.lease():
        pass


def test_what_was_published_answers_by_vector_and_by_word(store: GenerationStore) -> None:
    name = publish(store, CATS, DOGS)

    with store.lease() as generation:
        assert generation.name == name
        assert nearest_text(generation, "狗喜歡跑步和游泳。") == "狗喜歡跑步和游泳。"
        assert int(np.argmax(generation.lexical.scores("牧羊").ngrams)) == 3
        assert generation.manifest.articles == 2
        assert generation.manifest.passages == generation.vectors() == 5


def test_nearest_is_exact_and_best_first(store: GenerationStore) -> None:
    texts = [f"第{n}段講第{n * n}件事，和第{n % 7}類有關。" for n in range(300)]
    publish(store, article("many", *texts))
    vectors = HashEmbedder().embed_passages([f"many\n標題\n{text}" for text in texts])
    question = HashEmbedder().embed_query("第49件事和第3類")
    cosines = vectors @ question

    with store.lease() as generation:
        found = generation.nearest(question, 20)

    assert [cosine for _, cosine in found] == sorted((c for _, c in found), reverse=True)
    np.testing.assert_allclose([c for _, c in found], np.sort(cosines)[::-1][:20], atol=1e-5)
    np.testing.assert_allclose([c for _, c in found], cosines[[r for r, _ in found]], atol=1e-5)


def test_more_neighbours_than_passages_are_all_of_them(store: GenerationStore) -> None:
    publish(store, CATS)

    with store.lease() as generation:
        assert len(generation.nearest(HashEmbedder().embed_query("貓怕水"), 100)) == 3
        assert generation.nearest(HashEmbedder().embed_query("貓怕水"), 0) == []


def test_a_generation_of_one_passage_is_found(store: GenerationStore) -> None:
    publish(store, article("one", "只有這一段。"))

    with store.lease() as generation:
        assert nearest_text(generation, "這一段") == "只有這一段。"


def test_a_running_process_takes_up_what_another_one_built(store: GenerationStore) -> None:
    first = publish(store, CATS)
    with store.lease() as generation:
        assert generation.name == first

    second = publish(other_process(store), DOGS)

    with store.lease() as generation:
        assert generation.name == second
        assert nearest_text(generation, "貓") in [p.text for p in generation.content.all_passages()]


def test_a_question_keeps_its_generation_over_a_switch_and_a_clean_up(
    store: GenerationStore,
) -> None:
    publish(store, CATS)
    with store.lease() as generation:
        for newer in (DOGS, BIRDS, CATS):
            publish(store, newer)
        with store.lease() as later:
            assert later.name != generation.name
        removed = store.shelf.clean()

        assert generation.name not in removed
        assert nearest_text(generation, "貓怕水，所以不洗澡。") == "貓怕水，所以不洗澡。"
        assert generation.lexical.scores("老鼠").ngrams[0] > 0
        old = generation.directory
    assert old.name in store.shelf.clean()
    assert not old.exists()


def test_a_generation_is_closed_when_its_last_question_ends(store: GenerationStore) -> None:
    publish(store, CATS)
    with store.lease() as first, store.lease() as second:
        assert first is second
        publish(store, DOGS)
        assert store.current() is not first
        first.content.passage(0)
    with pytest.raises(Exception, match="closed"):
        first.content.passage(0)


def test_another_process_reading_keeps_a_generation_from_being_swept(
    store: GenerationStore,
) -> None:
    old = publish(store, CATS)
    script = (
        "import sys; from pathlib import Path; from rag.generations import GenerationStore;"
        "store = GenerationStore(Path(sys.argv[1]));\n"
        "with store.lease() as generation:\n"
        "    print(generation.name, flush=True); sys.stdin.readline()\n"
        "    print(generation.content.passage(0).text, flush=True)\n"
        "    print(len(generation.lexical), generation.vectors(), flush=True)\n"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(store.data_dir)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONPATH": str(REPOSITORY), "PYTHONIOENCODING": "utf-8"},
    ) as reader:
        assert reader.stdin is not None
        assert reader.stdout is not None
        assert reader.stdout.readline().strip() == old
        publish(store, DOGS)
        publish(store, BIRDS)
        assert old not in store.shelf.clean()
        reader.stdin.write("\n")
        reader.stdin.flush()
        assert reader.stdout.readline().strip() == "貓會抓老鼠，也會爬樹。"
        assert reader.stdout.readline().split() == ["3", "3"]
    assert old in store.shelf.clean()


def test_as_many_are_kept_as_asked(store: GenerationStore) -> None:
    names = [publish(store, each) for each in (CATS, DOGS, BIRDS)]
    store.shelf.clean()

    assert [manifest.name for manifest in store.list()] == [names[2], names[1]]
    assert sorted(p.name for p in store.shelf.directory.iterdir()) == sorted(names[1:])
    assert store.status().kept == (names[2], names[1])
    assert store.list()[0].parent == names[1]


def test_a_rollback_serves_the_one_before(store: GenerationStore) -> None:
    first, second = publish(store, CATS), publish(store, DOGS)
    with store.lease() as generation:
        assert generation.name == second

    assert store.rollback() == first

    with store.lease() as generation:
        assert generation.name == first
    with pytest.raises(NothingToRollBack):
        store.rollback()


def test_a_rollback_passes_over_a_damaged_generation(tmp_path: Path) -> None:
    store = GenerationStore(tmp_path, keep=3)
    first, second, _ = (publish(store, each) for each in (CATS, DOGS, BIRDS))
    (store.shelf.directory / second / "content.sqlite").unlink()

    assert store.rollback() == first
    store.close()


def test_what_is_built_after_a_rollback_can_be_rolled_back_too(store: GenerationStore) -> None:
    first = publish(store, CATS)
    publish(store, DOGS)
    store.rollback()
    publish(store, BIRDS)

    assert store.rollback() == first


def half(data: bytes) -> bytes:
    return data[: len(data) // 2]


def emptied(data: bytes) -> bytes:
    return data[:0]


def overwritten(data: bytes) -> bytes:
    return b"\xff" * len(data)


@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("manifest.json", half),
        ("manifest.json", emptied),
        ("content.sqlite", half),
        ("content.sqlite", overwritten),
        ("chroma/chroma.sqlite3", half),
        ("lexical/ideas/rows.npy", overwritten),
    ],
)
def test_a_damaged_generation_gives_way_to_the_one_before(
    store: GenerationStore,
    name: str,
    damage: Callable[[bytes], bytes],
    caplog: pytest.LogCaptureFixture,
) -> None:
    first, second = publish(store, CATS), publish(store, DOGS)
    path = store.shelf.directory / second / name
    path.write_bytes(damage(path.read_bytes()))

    with caplog.at_level(logging.WARNING), store.lease() as generation:
        assert generation.name == first
    assert second in caplog.text


def test_vectors_that_fail_while_serving_give_way_to_the_one_before(
    store: GenerationStore,
) -> None:
    first, second = publish(store, CATS), publish(store, DOGS)
    database = store.shelf.directory / second / "chroma" / "chroma.sqlite3"
    database.write_bytes(b"\0" * database.stat().st_size)

    with store.lease() as generation, pytest.raises(BrokenGeneration):
        generation.nearest(HashEmbedder().embed_query("狗"), 1)

    with store.lease() as generation:
        assert generation.name == first
        assert nearest_text(generation, "貓").startswith("貓")


def test_when_nothing_is_whole_it_says_so(store: GenerationStore) -> None:
    name = publish(store, CATS)
    (store.shelf.directory / name / "manifest.json").write_text("{")

    with pytest.raises(BrokenGeneration, match=name), store.lease():
        pass


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}', "[]", "null", '"x"'])
def test_without_a_readable_pointer_the_newest_serves(store: GenerationStore, content: str) -> None:
    publish(store, CATS)
    second = publish(store, DOGS)
    (store.data_dir / "CURRENT").write_text(content)

    with store.lease() as generation:
        assert generation.name == second


def test_a_pointer_that_breaks_while_serving_changes_nothing(store: GenerationStore) -> None:
    name = publish(store, CATS)
    with store.lease():
        pass
    (store.data_dir / "CURRENT").write_text("{")

    with store.lease() as generation:
        assert generation.name == name


def test_a_data_directory_removed_while_serving_still_answers(store: GenerationStore) -> None:
    publish(store, CATS)
    with store.lease() as generation:
        generation.warm()
    shutil.rmtree(store.data_dir)

    with store.lease() as generation:
        assert nearest_text(generation, "貓怕水").startswith("貓")
        assert generation.lexical.scores("老鼠").ngrams[0] > 0


def test_another_format_is_no_index(store: GenerationStore) -> None:
    name = publish(store, CATS)
    for path in (store.data_dir / "CURRENT", store.shelf.directory / name / "manifest.json"):
        path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 999}))

    with pytest.raises(NoIndex), store.lease():
        pass
    assert list(store.list()) == []


def test_half_built_directories_are_not_served_and_are_cleaned(store: GenerationStore) -> None:
    half = store.shelf.directory / ".building-20990101T000000-ffffff"
    half.mkdir(parents=True)
    (half / "content.sqlite").write_bytes(b"half")

    assert store.current() is None
    assert store.shelf.clean_half_built() == [half.name]
    assert not half.exists()


def test_a_failed_build_leaves_nothing_behind(store: GenerationStore) -> None:
    with contextlib.suppress(RuntimeError), store.shelf.staging() as staged:
        (staged / "file").write_text("x")
        raise RuntimeError

    assert list(store.shelf.directory.iterdir()) == []


def test_a_file_in_place_of_the_data_directory_is_named(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    store = GenerationStore(tmp_path / "file")

    with pytest.raises(DataDirUnusable, match="file"), store.lease():
        pass


def test_questions_from_many_threads_never_see_a_closed_or_mixed_generation(
    store: GenerationStore,
) -> None:
    publish(store, CATS)
    done = threading.Event()

    def ask(_: int) -> int:
        asked = 0
        while not done.is_set():
            with store.lease() as generation:
                found = generation.nearest(HashEmbedder().embed_query("喜歡"), 2)
                articles = {generation.content.passage(row).article_id for row, _ in found}
                assert articles == {generation.content.articles()[0].id}
                assert len(generation.lexical) == len(generation.content)
            asked += 1
        return asked

    with ThreadPoolExecutor(4) as pool:
        running = [pool.submit(ask, n) for n in range(4)]
        for each in (DOGS, BIRDS, CATS, DOGS, BIRDS, CATS):
            publish(other_process(store), each)
            store.shelf.clean()
        done.set()

    assert all(thread.result() > 0 for thread in running)


def test_llamaindex_opens_and_asks_a_generation(store: GenerationStore) -> None:
    from chromadb import PersistentClient
    from chromadb.config import Settings
    from llama_index.core.vector_stores.types import VectorStoreQuery
    from llama_index.vector_stores.chroma import ChromaVectorStore

    publish(store, CATS, DOGS)
    with store.lease() as generation:
        client = PersistentClient(
            str(generation.directory / "chroma"), Settings(anonymized_telemetry=False)
        )
        collection = client.get_collection("passages", embedding_function=None)
        vector = HashEmbedder().embed_query("cats\n標題\n貓喜歡在太陽下睡覺。").tolist()
        result = ChromaVectorStore(chroma_collection=collection).query(
            VectorStoreQuery(query_embedding=vector, similarity_top_k=2)
        )
        client.close()
        node = (result.nodes or [])[0]

        assert node.get_content() == "貓喜歡在太陽下睡覺。"
        assert (node.node_id, node.ref_doc_id) == ("cats#1", "cats")
        start, end = node.start_char_idx, node.end_char_idx
        assert generation.content.text("cats")[start:end] == node.get_content()
        assert node.metadata["ordinal"] == 1
        assert node.metadata["heading"] == "標題"
        assert nearest_text(generation, "貓喜歡在太陽下睡覺。") == "貓喜歡在太陽下睡覺。"


def test_the_client_answers_as_the_engine_does(store: GenerationStore) -> None:
    from rag import collection

    publish(store, CATS, DOGS, BIRDS)
    with store.lease() as generation:
        vector = HashEmbedder().embed_query("喜歡")
        by_engine = collection._by_engine(generation.directory / "chroma")
        by_client = collection._by_client(generation.directory / "chroma")

        assert by_engine.nearest(vector, 5) == by_client.nearest(vector, 5)
        assert len(by_engine) == len(by_client) == 7
        by_engine.close()
        by_client.close()


def test_importing_stays_light() -> None:
    heavy = "('chromadb', 'llama_index', 'torch', 'numpy', 'bm25s', 'pydantic')"
    script = (
        "import rag.generations, rag.ingest, sys;"
        f"print([name for name in {heavy} if name in sys.modules])"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )

    assert told.stdout.strip() == "[]"


def test_a_closed_store_opens_nothing_any_more(store: GenerationStore) -> None:
    publish(store, CATS)
    store.close()

    assert store.current() is None
    with pytest.raises(NoIndex), store.lease():
        pass
