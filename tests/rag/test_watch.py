"""The articles' folder is watched while someone writes."""

import threading
from pathlib import Path

import pytest

from rag.errors import CorpusMissing
from rag.settings import Settings
from rag.watch import _Seen, changes_of


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("notes.md", True),
        ("deep/notes.HTML", True),
        ("terms.csv", True),
        ("folder", True),
        ("notes.md.swp", False),
        ("picture.png", False),
        (".git/HEAD.md", False),
        ("data/generations/x/manifest.md", False),
    ],
)
def test_only_what_a_reindex_reads_counts(tmp_path: Path, path: str, counts: bool) -> None:
    seen = _Seen(tmp_path, tmp_path / "data")

    assert seen(None, str(tmp_path / path)) is counts


def test_saving_an_article_is_told_once(tmp_path: Path) -> None:
    corpus, stop = tmp_path / "corpus", threading.Event()
    corpus.mkdir()
    told: list[int] = []

    def watch() -> None:
        for changed in changes_of(corpus, tmp_path / "data", stop):
            told.append(changed)
            stop.set()

    watching = threading.Thread(target=watch)
    watching.start()
    for number in range(200):  # until the watcher is there to see one
        if not watching.is_alive():
            break
        (corpus / "notes.md").write_text(f"第 {number} 次\n", encoding="utf-8")
        watching.join(0.3 if number % 4 else 1.5)
    stop.set()
    watching.join(30)

    assert told == [1]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusMissing, match="nowhere"):
        next(changes_of(tmp_path / "nowhere", tmp_path / "data", threading.Event()))


@pytest.mark.parametrize(
    ("given", "seconds"), [("0", 0), ("90", 90), ("30m", 1800), ("6h", 21600), ("1.5d", 129600)]
)
def test_times_are_written_with_their_units(given: str, seconds: float) -> None:
    assert Settings(_env_file=None, reindex_every=given).reindex_every == seconds


@pytest.mark.parametrize("given", ["soon", "-5", "6x"])
def test_what_is_no_time_is_refused(given: str) -> None:
    with pytest.raises(ValueError, match="reindex_every"):
        Settings(_env_file=None, reindex_every=given)
