"""What moderators, disks and clocks do to an index; `tests.kill_builder` does it by the hundred."""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from unittest.mock import Mock

import pytest

from rag import ingest
from rag.aftermath import traces
from rag.collection import Collection
from rag.errors import BrokenGeneration, BuilderFailed, DataDirUnusable, DiskFull
from rag.generations import GenerationStore
from rag.ingest import reindex
from rag.lock import builder_lock
from rag.manifest import read_manifest, write_manifest
from rag.order import Order
from rag.pointer import Pointer
from rag.rebuild import rebuild
from rag.settings import Settings
from tests.conftest import ROOT
from tests.rag.tiny_index import HashEmbedder, article, publish

CATS = article("cats", "貓會抓老鼠，也會爬樹。", "貓喜歡在太陽下睡覺。")
DOGS = article("dogs", "狗會看門，也會牧羊。", "狗喜歡跑步和游泳。")
NOBODY = 65534


@pytest.fixture
def store(tmp_path: Path) -> Iterator[GenerationStore]:
    with closing(GenerationStore(tmp_path / "data")) as opened:
        yield opened


def told(store: GenerationStore) -> list[str]:
    return [trace.told for trace in traces(store.data_dir)]


def test_builders_and_readers_killed_at_random_leave_a_whole_index(tmp_path: Path) -> None:
    command = ["-m", "tests.kill_builder", "--kills", "4", "--readers", "1"]

    done = subprocess.run(
        [sys.executable, *command, "--home", str(tmp_path / "kills"), "--seed", str(os.getpid())],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        timeout=280,
    )

    assert done.returncode == 0, done.stderr
    assert json.loads(done.stdout)["builders_killed"] == 4


def test_a_builder_that_hangs_and_will_not_end_is_killed_and_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    note = tmp_path / "pid"
    hanging = (
        "import os, signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
        f"open({str(note)!r}, 'w').write(str(os.getpid())); time.sleep(600)"
    )
    monkeypatch.setattr(ingest, "_BUILDER", ("-c", hanging))
    monkeypatch.setattr(ingest, "_GRACE", 0.2)
    settings = Settings(
        _env_file=None, corpus_dir=tmp_path, data_dir=tmp_path / "data", reindex_deadline=3
    )

    with pytest.raises(BuilderFailed, match="longer than 3 seconds"):
        reindex(settings)

    if note.exists():
        with pytest.raises(ProcessLookupError):
            os.kill(int(note.read_text()), 0)


def test_after_the_clock_was_set_back_the_newest_is_still_known(store: GenerationStore) -> None:
    first = publish(store, CATS)
    directory = store.data_dir / "generations" / first
    manifest = read_manifest(directory)
    fields = {name: getattr(manifest, name) for name in manifest.__slots__}
    write_manifest(directory, type(manifest)(**fields | {"built_at": "2099-01-01T00:00:00.000"}))
    second = publish(store, DOGS)
    (store.data_dir / "CURRENT").unlink()

    assert store.shelf.names() == (second, first)
    with store.lease() as generation:
        assert generation.name == second


@contextmanager
def as_nobody(folder: Path) -> Iterator[None]:
    """Without the right to write below a folder, even where the tests run as root."""
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o555 if path.is_dir() else 0o444)
    if os.geteuid() == 0:
        os.seteuid(NOBODY)
        try:
            yield
        finally:
            os.seteuid(0)
    else:
        yield
    for path in (folder, *folder.rglob("*")):
        path.chmod(0o755 if path.is_dir() else 0o644)


def test_a_data_directory_made_read_only_while_serving_still_answers() -> None:
    home = Path(tempfile.mkdtemp())
    home.chmod(0o755)
    data = home / "data"
    with closing(GenerationStore(data)) as store:
        publish(store, CATS)
        with store.lease() as generation:
            generation.warm()
        with as_nobody(data):
            with store.lease() as generation:
                assert generation.nearest(HashEmbedder().embed_query("老鼠"), 1)
                assert generation.lexical.scores("老鼠").ngrams[0] > 0
            with pytest.raises(DataDirUnusable), builder_lock(data, "test"):
                pass
    shutil.rmtree(home)


FULL = "error returned from database: (code: 13) database or disk is full"


def test_an_index_on_a_full_disk_is_not_called_damaged_and_answers_once_there_is_room(
    store: GenerationStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(store, CATS)
    question = HashEmbedder().embed_query("老鼠")
    with monkeypatch.context() as full, store.lease() as generation:
        full.setattr(Collection, "open", Mock(side_effect=RuntimeError(FULL)))
        with pytest.raises(DiskFull, match="free some space"):
            generation.nearest(question, 1)

    with store.lease() as generation:
        found = generation.nearest(question, 1)

    assert found


def test_what_serves_goes_on_where_a_full_disk_keeps_the_next_from_being_opened(
    store: GenerationStore, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("rag.generations.time", clock := Mock())
    clock.monotonic.return_value = 1000.0
    first = publish(store, CATS)
    with store.lease() as generation:
        generation.warm()
    second = publish(store, DOGS)
    with monkeypatch.context() as full:
        full.setattr(Collection, "open", Mock(side_effect=RuntimeError(FULL)))
        with store.lease() as generation:
            serving = generation.name
    with store.lease() as generation:
        at_once = generation.name
    clock.monotonic.return_value += 60
    with store.lease() as generation:
        later = generation.name

    assert serving == at_once == first
    assert "is full: free some space" in caplog.text
    assert later == second


@pytest.mark.skipif(sys.platform != "linux" or os.geteuid() != 0, reason="mounts a small disk")
def test_on_a_disk_that_is_really_full_it_says_so(tmp_path: Path) -> None:
    mounted = ["mount", "-t", "tmpfs", "-o", "size=16m", "tmpfs", str(tmp_path)]
    if subprocess.run(mounted, check=False, capture_output=True).returncode:
        pytest.skip("mounting is not allowed here")
    try:
        with closing(GenerationStore(tmp_path / "data")) as store:
            publish(store, CATS)
            free = shutil.disk_usage(tmp_path).free
            with (tmp_path / "ballast").open("wb") as ballast:
                os.posix_fallocate(ballast.fileno(), 0, free)

            with store.lease() as generation, pytest.raises(DiskFull):
                generation.nearest(HashEmbedder().embed_query("老鼠"), 1)
            with pytest.raises(DiskFull), builder_lock(tmp_path / "data", "test"):
                pass
            with pytest.raises(DiskFull):
                store.shelf.pointers.write(Pointer("any"))
    finally:
        subprocess.run(["umount", "--lazy", str(tmp_path)], check=True)


def test_a_full_or_lost_directory_is_mended_by_the_next_reindex(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("rag.rebuild.load_embedder", lambda _: HashEmbedder())
    (tmp_path / "corpus").mkdir()
    (tmp_path / "corpus" / "cats.md").write_text("# 貓\n\n貓會抓老鼠。", encoding="utf-8")
    settings = Settings(_env_file=None, corpus_dir=tmp_path / "corpus", data_dir=tmp_path / "data")
    with closing(GenerationStore(settings.data_dir)) as store:
        rebuild(Order.of(settings), lambda _: None)
        with store.lease() as generation:
            generation.warm()
        shutil.rmtree(settings.data_dir)
        report = rebuild(Order.of(settings), lambda _: None)

        with store.lease() as generation:
            assert generation.name == report.generation


def test_what_happened_is_told(store: GenerationStore) -> None:
    publish(store, CATS)
    half = store.data_dir / "generations" / ".building-20990101T000000-ffffff"
    half.mkdir()
    (half / "content.sqlite").write_bytes(b"x" * 2_000_000)
    (store.data_dir / "builder.json").write_text(
        '{"pid": 7, "host": "here", "command": "youju reindex", "since": "noon"}'
    )
    (store.data_dir / "CURRENT").write_text("{")
    (store.data_dir / "embeddings.sqlite.damaged-1").write_text("")

    found = told(store)

    assert found == [
        "a reindex was killed (`youju reindex`, process 7 on here, since noon)",
        ".building-20990101T000000-ffffff is half-built and takes 2.0 MB",
        "CURRENT is damaged; the newest generation serves",
        "embeddings.sqlite was damaged, set aside as embeddings.sqlite.damaged-1 and begun anew",
    ]


def test_a_running_reindex_is_told_and_nothing_else_is(store: GenerationStore) -> None:
    publish(store, CATS)

    with builder_lock(store.data_dir, "youju reindex"):
        (running,) = told(store)

    assert running.startswith("a reindex is running (`youju reindex`")
    assert told(store) == []


def test_a_broken_index_is_told_once(
    store: GenerationStore, caplog: pytest.LogCaptureFixture
) -> None:
    name = publish(store, CATS)
    (store.data_dir / "generations" / name / "content.sqlite").write_bytes(b"")

    with pytest.raises(BrokenGeneration, match=name), store.lease():
        pass

    assert caplog.text == ""


def test_a_hold_falls_without_a_word_when_it_is_forgotten(store: GenerationStore) -> None:
    publish(store, CATS)
    old = store.shelf.open(publish(store, DOGS))
    publish(store, CATS)
    publish(store, DOGS)
    assert old.name not in store.shelf.clean()
    name = old.name
    old.content.close()

    del old
    began = time.monotonic()

    while name not in store.shelf.clean() and time.monotonic() - began < 30:
        time.sleep(0.05)
    assert not (store.data_dir / "generations" / name).exists()
