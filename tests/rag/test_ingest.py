"""A reindex in its real child process, with the shipped model: what changed, who is busy, kills."""

import json
import os
import shutil
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from rag.embed import load_embedder
from rag.errors import (
    AllArticlesFailed,
    BuilderBusy,
    BuilderFailed,
    CorpusEmpty,
    CorpusError,
    CorpusMissing,
    DataDirUnusable,
    NoIndex,
    UnknownModel,
)
from rag.generations import GenerationStore
from rag.ingest import reindex
from rag.lock import builder_lock
from rag.result import Progress, ReindexReport
from rag.settings import Settings

REPOSITORY = Path(__file__).resolve().parents[2]
CATS = "# 貓\n\n貓會抓老鼠，也會爬樹，還會在夜裡叫。\n\n## 習性\n\n貓喜歡睡覺，一天十六個小時。\n"
DOGS = "# 狗\n\n狗會看門，也會牧羊，是人類最早馴化的動物。\n\n## 習性\n\n狗喜歡跑步和游泳。\n"
CHANGED = DOGS.replace("跑步和游泳", "追球和挖洞")


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, ReindexReport]:
    """A corpus of two articles and its first index, to be copied by each test."""
    home = tmp_path_factory.mktemp("built")
    (home / "corpus").mkdir()
    (home / "corpus" / "cats.md").write_text(CATS, encoding="utf-8")
    (home / "corpus" / "dogs.md").write_text(DOGS, encoding="utf-8")
    return home, reindex(settings_of(home))


@pytest.fixture
def home(built: tuple[Path, ReindexReport], tmp_path: Path) -> Path:
    shutil.copytree(built[0], tmp_path / "home")
    return tmp_path / "home"


@pytest.fixture
def store(home: Path) -> Iterator[GenerationStore]:
    opened = GenerationStore(home / "data", keep=2)
    yield opened
    opened.close()


def settings_of(home: Path, **others: Any) -> Settings:
    return Settings(_env_file=None, corpus_dir=home / "corpus", data_dir=home / "data", **others)


def served_texts(store: GenerationStore) -> str:
    with store.lease() as generation:
        vector = load_embedder("").embed_query("貓")
        assert generation.nearest(vector, 1)
        assert generation.lexical.scores("習性").ngrams.any()
        return "\n".join(passage.text for passage in generation.content.all_passages())


def everything_in(folder: Path) -> dict[str, tuple[int, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.stat().st_mtime_ns, path.stat().st_size)
        for path in folder.rglob("*")
    }


def test_the_first_reindex_reports_what_it_built(built: tuple[Path, ReindexReport]) -> None:
    home, report = built

    assert report.articles.added == ("cats.md", "dogs.md")
    assert report.embedded == report.passages > 0
    assert report.seconds > 0
    assert not report.dry_run
    assert GenerationStore(home / "data").shelf.serving() == report.generation


def test_nothing_changed_is_nothing_done(built: tuple[Path, ReindexReport], home: Path) -> None:
    report = reindex(settings_of(home))

    assert report.generation == built[1].generation
    assert report.embedded == 0
    assert report.articles.unchanged == 2
    assert report.passages == built[1].passages


def test_touching_a_file_changes_nothing(built: tuple[Path, ReindexReport], home: Path) -> None:
    os.utime(home / "corpus" / "cats.md", (0, 0))

    assert reindex(settings_of(home)).generation == built[1].generation


def test_a_full_reindex_builds_anew_and_embeds_nothing(
    built: tuple[Path, ReindexReport], home: Path
) -> None:
    report = reindex(settings_of(home), full=True)

    assert report.generation != built[1].generation
    assert (report.embedded, report.passages) == (0, built[1].passages)


def test_of_a_changed_article_only_the_changed_passages_are_embedded(
    home: Path, store: GenerationStore
) -> None:
    with store.lease() as before:
        (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
        report = reindex(settings_of(home))

        assert "跑步和游泳" in "".join(p.text for p in before.content.all_passages())
    assert report.articles.changed == ("dogs.md",)
    assert report.articles.unchanged == 1
    assert report.embedded == 1
    assert "追球和挖洞" in served_texts(store)
    assert "跑步和游泳" not in served_texts(store)


def test_a_removed_article_is_gone_from_the_next_generation(
    home: Path, store: GenerationStore
) -> None:
    (home / "corpus" / "dogs.md").unlink()

    report = reindex(settings_of(home))

    assert report.articles.removed == ("dogs.md",)
    assert report.embedded == 0
    assert "狗" not in served_texts(store)


def test_a_failing_file_is_reported_and_the_others_go_on(
    home: Path, store: GenerationStore
) -> None:
    (home / "corpus" / "bad.md").write_bytes(bytes(range(256)) * 50)
    (home / "corpus" / "birds.md").write_text("# 鳥\n\n鳥有翅膀，會飛。", encoding="utf-8")

    report = reindex(settings_of(home))
    again = reindex(settings_of(home))

    assert [failed.path for failed in report.articles.failed] == ["bad.md"]
    assert report.articles.failed[0].reason
    assert report.articles.added == ("birds.md",)
    assert "會飛" in served_texts(store)
    assert again.generation == report.generation
    assert again.articles.failed == report.articles.failed


def empty(corpus: Path) -> None:
    for path in corpus.iterdir():
        path.unlink()


def spoil(corpus: Path) -> None:
    for path in corpus.iterdir():
        path.write_bytes(bytes(range(256)) * 50)


def to_a_file(corpus: Path) -> None:
    shutil.rmtree(corpus)
    corpus.write_text("")


@pytest.mark.parametrize(
    ("happen", "error"),
    [
        (empty, CorpusEmpty),
        (spoil, AllArticlesFailed),
        (shutil.rmtree, CorpusMissing),
        (to_a_file, CorpusMissing),
    ],
    ids=["empty", "all failing", "missing", "a file"],
)
def test_a_corpus_that_gives_nothing_never_replaces_an_index(
    built: tuple[Path, ReindexReport],
    home: Path,
    store: GenerationStore,
    happen: Callable[[Path], None],
    error: type[CorpusError],
) -> None:
    happen(home / "corpus")

    with pytest.raises(error) as caught:
        reindex(settings_of(home))

    assert vars(caught.value)["path"] == home / "corpus"
    assert store.shelf.serving() == built[1].generation
    assert "貓" in served_texts(store)


def test_a_dry_run_tells_and_writes_nothing(home: Path, built: tuple[Path, ReindexReport]) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
    before = everything_in(home)

    report = reindex(settings_of(home), dry_run=True)

    assert report.dry_run
    assert report.articles.changed == ("dogs.md",)
    assert (report.embedded, report.generation) == (1, built[1].generation)
    assert everything_in(home) == before


def test_a_dry_run_on_a_fresh_directory_does_not_even_make_it(home: Path) -> None:
    shutil.rmtree(home / "data")

    report = reindex(settings_of(home), dry_run=True)

    assert report.embedded == report.passages
    assert report.generation == ""
    assert not (home / "data").exists()


def test_a_changed_setting_builds_anew(built: tuple[Path, ReindexReport], home: Path) -> None:
    report = reindex(settings_of(home, passage_chars=100))

    assert report.generation != built[1].generation
    assert report.articles.unchanged == 2


def test_added_terms_build_anew(built: tuple[Path, ReindexReport], home: Path) -> None:
    (home / "corpus" / "terms.csv").write_text("貓,喵星人\n", encoding="utf-8")

    report = reindex(settings_of(home))

    assert report.generation != built[1].generation
    assert report.embedded == 0
    assert report.articles.unchanged == 2


def test_progress_is_told_stage_by_stage(home: Path) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
    steps: list[Progress] = []

    reindex(settings_of(home), progress=steps.append)

    assert list(dict.fromkeys(step.stage for step in steps)) == [
        *("read", "embed", "store", "verify", "switch")
    ]
    assert all(0 <= step.done <= step.total for step in steps)


def test_a_second_builder_is_told_at_once_who_the_first_is(home: Path) -> None:
    with builder_lock(home / "data", "youju reindex"):
        began = time.monotonic()
        with pytest.raises(BuilderBusy, match="youju reindex") as caught:
            reindex(settings_of(home))

    assert str(os.getpid()) in caught.value.holder
    assert time.monotonic() - began < 10


def test_a_dead_builders_note_is_no_obstacle(built: tuple[Path, ReindexReport], home: Path) -> None:
    (home / "data" / "builder.json").write_text('{"pid": 1, "host": "gone", "command": "x"}')

    assert reindex(settings_of(home)).generation == built[1].generation


class Killer:
    """Kills the builder as soon as it tells of a stage."""

    def __init__(self, home: Path, stage: str) -> None:
        self._note, self._stage = home / "data" / "builder.json", stage

    def __call__(self, step: Progress) -> None:
        if step.stage == self._stage:
            os.kill(json.loads(self._note.read_text())["pid"], signal.SIGKILL)


@pytest.mark.parametrize("stage", ["read", "embed", "store", "verify", "switch"])
def test_a_killed_builder_leaves_the_index_whole(
    home: Path, store: GenerationStore, stage: str, built: tuple[Path, ReindexReport]
) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")

    with pytest.raises(BuilderFailed, match="killed by signal 9"):
        reindex(settings_of(home), progress=Killer(home, stage))

    assert ("追球和挖洞" in served_texts(store)) == (store.shelf.serving() != built[1].generation)
    assert not [p for p in (home / "data" / "generations").iterdir() if p.name.startswith(".")]
    reindex(settings_of(home))
    assert "追球和挖洞" in served_texts(store)


def test_a_cancelled_reindex_leaves_nothing_behind(
    home: Path, built: tuple[Path, ReindexReport]
) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
    cancel = threading.Event()

    def at_store(step: Progress) -> None:
        if step.stage == "store":
            cancel.set()

    with pytest.raises(BuilderFailed, match="cancelled"):
        reindex(settings_of(home), progress=at_store, cancel=cancel)

    kept = [path.name for path in (home / "data" / "generations").iterdir()]
    assert kept == [built[1].generation]


def test_it_is_too_late_to_cancel_once_the_new_index_may_serve(
    home: Path, store: GenerationStore
) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
    cancel = threading.Event()

    def at_switch(step: Progress) -> None:
        if step.stage == "switch":
            cancel.set()

    report = reindex(settings_of(home), progress=at_switch, cancel=cancel)

    assert report.generation == store.shelf.serving()
    assert "追球和挖洞" in served_texts(store)


def test_a_reindex_that_takes_too_long_is_ended(home: Path) -> None:
    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")

    with pytest.raises(BuilderFailed, match=r"longer than 0\.05 seconds"):
        reindex(settings_of(home, reindex_deadline=0.05))


def test_a_builder_ends_when_its_parent_is_killed(home: Path) -> None:
    (home / "corpus" / "long.md").write_text(
        "\n\n".join(f"第{n}段說的是第{n * 7}件事，很長很長，沒有完。" * 5 for n in range(2000)),
        encoding="utf-8",
    )
    script = (
        "import sys; from pathlib import Path; from rag.settings import Settings;"
        "from rag.ingest import reindex; home = Path(sys.argv[1]);"
        "reindex(Settings(corpus_dir=home / 'corpus', data_dir=home / 'data'),"
        " progress=lambda step: print(step.stage, flush=True))"
    )
    with subprocess.Popen(
        [sys.executable, "-c", script, str(home)],
        stdout=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    ) as parent:
        assert parent.stdout is not None
        while parent.stdout.readline().strip() != "embed":
            pass
        builder = json.loads((home / "data" / "builder.json").read_text())["pid"]
        parent.kill()

    assert _ends(builder, seconds=20)
    with builder_lock(home / "data", "next"):
        pass


def _ends(pid: int, seconds: float) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        try:
            state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
        except OSError:
            return True
        if state == "Z":  # dead, though nobody has asked how it died
            return True
        time.sleep(0.05)
    return False


def test_a_damaged_store_is_built_anew_though_no_article_changed(
    home: Path, store: GenerationStore, built: tuple[Path, ReindexReport]
) -> None:
    name = built[1].generation
    database = home / "data" / "generations" / name / "chroma" / "chroma.sqlite3"
    database.write_bytes(b"\0" * database.stat().st_size)

    report = reindex(settings_of(home))

    assert report.generation != name
    assert (report.embedded, report.articles.unchanged) == (0, 2)
    assert "貓" in served_texts(store)


@pytest.mark.parametrize("name", ["CURRENT", "generations/*/manifest.json"])
def test_an_index_of_another_format_is_built_anew(
    home: Path, store: GenerationStore, name: str
) -> None:
    (path,) = (home / "data").glob(name)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"format": 999}))

    reindex(settings_of(home))

    assert "貓" in served_texts(store)


@pytest.mark.parametrize("content", ["", "{"])
def test_a_truncated_pointer_is_mended(home: Path, store: GenerationStore, content: str) -> None:
    (home / "data" / "CURRENT").write_text(content)

    reindex(settings_of(home))

    assert "貓" in served_texts(store)
    assert json.loads((home / "data" / "CURRENT").read_text())["current"] == store.shelf.serving()


def test_a_file_in_place_of_the_data_directory_is_named(home: Path) -> None:
    shutil.rmtree(home / "data")
    (home / "data").write_text("")

    for dry_run in (False, True):
        with pytest.raises(DataDirUnusable, match="data"):
            reindex(settings_of(home), dry_run=dry_run)


def test_a_full_disk_is_named_and_the_old_index_stays(
    home: Path, store: GenerationStore, built: tuple[Path, ReindexReport]
) -> None:
    import resource

    (home / "corpus" / "dogs.md").write_text(CHANGED, encoding="utf-8")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (150_000, hard))  # Chroma's database needs more
    try:
        with pytest.raises((DataDirUnusable, BuilderFailed)):
            reindex(settings_of(home))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))

    assert [p.name for p in (home / "data" / "generations").iterdir()] == [built[1].generation]
    assert "貓" in served_texts(store)


def test_an_unknown_model_is_the_same_error_on_this_side(home: Path) -> None:
    with pytest.raises(UnknownModel) as caught:
        reindex(settings_of(home, embed_model=str(home / "no-such-model")))

    assert caught.value.name == str(home / "no-such-model")


def test_what_a_library_prints_is_no_message() -> None:
    script = (
        "import os, rag.builder as b; stream = b._own_stdout();"
        "print('noise'); os.system('echo more noise');"
        "stream.write('message\\n'); stream.flush()"
    )
    told = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(REPOSITORY)},
    )

    assert told.stdout == "message\n"
    assert "noise" in told.stderr


def test_before_the_first_reindex_there_is_no_index(tmp_path: Path) -> None:
    with pytest.raises(NoIndex), GenerationStore(tmp_path / "fresh").lease():
        pass
