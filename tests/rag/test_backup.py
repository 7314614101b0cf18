"""Backups: made while the bot serves and a reindex switches, checked whole before they are used."""

import io
import json
import shutil
import sqlite3
import tarfile
import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from rag.backup import backup
from rag.build import build_service
from rag.errors import BadBackup, DataDirInUse, NothingToBackUp
from rag.restore import restore
from rag.service import Service
from rag.settings import Settings
from tests.conftest import Youju

_ARTICLE = "# 泡茶\n\n綠茶要用攝氏{}度的水沖泡，才不會苦。\n\n紅茶可以用沸水沖泡。\n"
_QUESTION = "綠茶要用幾度的水沖泡？"


def opened(tmp_path: Path, name: str = "data") -> Service:
    settings = Settings(
        corpus_dir=tmp_path / "articles",
        data_dir=tmp_path / name,
        support=0.0,
        _env_file=None,  # type: ignore[call-arg]
    )
    return build_service(settings)


@pytest.fixture(scope="module")
def made_once(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory over one article, and the article beside it."""
    folder = tmp_path_factory.mktemp("made")
    (folder / "articles").mkdir()
    (folder / "articles" / "tea.md").write_text(_ARTICLE.format("八十"), encoding="utf-8")
    service = opened(folder)
    service.reindex()
    service.close()
    return folder


@pytest.fixture
def indexed(made_once: Path, tmp_path: Path) -> Path:
    """A copy of it, with a memory and a key."""
    shutil.copytree(made_once, tmp_path, dirs_exist_ok=True)
    data = tmp_path / "data"
    (data / "people.key").write_bytes(b"k" * 32)
    with closing(sqlite3.connect(data / "discord.sqlite")) as database:
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("CREATE TABLE answers (id TEXT)")
        database.execute("INSERT INTO answers VALUES ('first')")
        database.commit()
    return data


def remembered(data: Path) -> list[str]:
    with closing(sqlite3.connect(data / "discord.sqlite")) as database:
        return [row[0] for row in database.execute("SELECT id FROM answers")]


def answer_from(tmp_path: Path, name: str) -> str:
    with closing(opened(tmp_path, name)) as service:
        return service.ask(_QUESTION).text


def test_what_was_backed_up_answers_elsewhere(indexed: Path, tmp_path: Path) -> None:
    made = backup(indexed, tmp_path / "out" / "backup.tar")

    restored = restore(made.path, tmp_path / "elsewhere")

    assert restored == made
    assert made.path.stat().st_mode & 0o777 == 0o600
    assert "八十" in answer_from(tmp_path, "elsewhere")
    assert remembered(tmp_path / "elsewhere") == ["first"]
    assert (tmp_path / "elsewhere" / "people.key").read_bytes() == b"k" * 32
    assert (tmp_path / "elsewhere" / "people.key").stat().st_mode & 0o777 == 0o600
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["backup.tar"]
    with closing(opened(tmp_path, "elsewhere")) as service:
        assert service.reindex().embedded == 0


def test_backups_made_while_it_answers_and_switches_are_each_whole(
    indexed: Path, tmp_path: Path
) -> None:
    service, over, trouble, made = opened(tmp_path), threading.Event(), [], []

    def ask() -> None:
        while not over.wait(0.02):
            try:
                service.ask(_QUESTION)
            except Exception as error:
                trouble.append(error)

    def note() -> None:
        with closing(sqlite3.connect(indexed / "discord.sqlite", timeout=10)) as database:
            while not over.wait(0.01):
                database.execute("INSERT INTO answers VALUES ('later')")
                database.commit()

    def copy() -> None:
        while not over.wait(0.1):
            try:
                made.append(backup(indexed, tmp_path / f"backup-{len(made)}.tar"))
            except Exception as error:
                trouble.append(error)

    threads = [threading.Thread(target=each) for each in (ask, note, copy)]
    for thread in threads:
        thread.start()
    for degrees in ("七十", "六十"):
        (tmp_path / "articles" / "tea.md").write_text(_ARTICLE.format(degrees), encoding="utf-8")
        service.reindex()
    over.set()
    for thread in threads:
        thread.join()
    service.close()

    assert trouble == []
    assert len(made) >= 2
    assert len({each.generation for each in made}) >= 2
    for number, each in enumerate((made[0], made[-1])):
        restore(each.path, tmp_path / f"back-{number}")
        assert "度的水沖泡" in answer_from(tmp_path, f"back-{number}")
        assert remembered(tmp_path / f"back-{number}")[0] == "first"


def test_a_directory_in_use_is_replaced_only_by_force_and_who_serves_goes_on(
    indexed: Path, tmp_path: Path
) -> None:
    before = backup(indexed, tmp_path / "before.tar")
    (tmp_path / "articles" / "tea.md").write_text(_ARTICLE.format("七十"), encoding="utf-8")
    with closing(opened(tmp_path)) as service:
        service.reindex()
        with closing(sqlite3.connect(indexed / "discord.sqlite")) as database:
            database.execute("INSERT INTO answers VALUES ('second')")
            database.commit()
            assert "七十" in service.ask(_QUESTION).text

            with pytest.raises(DataDirInUse):
                restore(before.path, indexed)
            restore(before.path, indexed, force=True)

            assert "八十" in service.ask(_QUESTION).text
            assert database.execute("SELECT id FROM answers").fetchall() == [("first",)]
        assert service.reindex().articles.changed == ("tea.md",)
    assert not list(indexed.glob(".restoring-*"))


def edited(source: Path, target: Path, edit: Callable[[tarfile.TarInfo], bytes | None]) -> Path:
    """A copy of a backup, each entry as `edit` leaves it; what it returns is its new content."""
    with tarfile.open(source) as old, tarfile.open(target, "w") as new:
        for entry in old:
            opened = old.extractfile(entry)
            assert opened is not None
            content = opened.read()
            changed = edit(entry)
            content = content if changed is None else changed
            entry.size = len(content) if entry.isreg() else 0
            new.addfile(entry, io.BytesIO(content))
    return target


def renamed(name: str) -> Callable[[tarfile.TarInfo], bytes | None]:
    def edit(entry: tarfile.TarInfo) -> bytes | None:
        if entry.name == "people.key":
            entry.name = name
        return None

    return edit


def linked(kind: bytes) -> Callable[[tarfile.TarInfo], bytes | None]:
    def edit(entry: tarfile.TarInfo) -> bytes | None:
        if entry.name == "people.key":
            entry.type, entry.linkname = kind, "/etc/passwd"
        return None

    return edit


def changed(name: str, content: bytes) -> Callable[[tarfile.TarInfo], bytes | None]:
    return lambda entry: content if entry.name.endswith(name) else None


@pytest.mark.parametrize(
    ("edit", "why"),
    [
        (renamed("../people.key"), "no place"),
        (renamed("/etc/people.key"), "no place"),
        (renamed("generations/../../people.key"), "no place"),
        (renamed("generations/people.key"), "no place"),
        (renamed("C:people.key"), "no place"),
        (renamed(".hidden"), "no place"),
        (renamed("embeddings.sqlite"), "no place"),
        (renamed("other.key"), "not what was written"),
        (linked(tarfile.SYMTYPE), "no place"),
        (linked(tarfile.LNKTYPE), "no place"),
        (linked(tarfile.DIRTYPE), "no place"),
        (linked(tarfile.FIFOTYPE), "no place"),
        (changed("people.key", b"another"), "people.key is not what was written"),
        (changed("content.sqlite", b"another"), "content.sqlite is not what was written"),
        (changed("youju-backup.json", b"[]"), "no backup of youju"),
        (changed("youju-backup.json", b"nonsense"), "no backup of youju"),
        (
            changed("youju-backup.json", b'{"format": 9, "files": {}, "serving": []}'),
            "another format",
        ),
        (
            changed(
                "youju-backup.json",
                json.dumps({"format": 1, "made_at": "", "files": {}, "serving": ["../x"]}).encode(),
            ),
            "not what was written",
        ),
    ],
)
def test_a_damaged_or_hostile_backup_is_named_and_changes_nothing(
    indexed: Path, tmp_path: Path, edit: Callable[[tarfile.TarInfo], bytes | None], why: str
) -> None:
    made = backup(indexed, tmp_path / "good.tar")
    bad = edited(made.path, tmp_path / "bad.tar", edit)
    before = sorted(path.name for path in tmp_path.iterdir())

    with pytest.raises(BadBackup, match=why):
        restore(bad, tmp_path / "elsewhere")

    assert list((tmp_path / "elsewhere").iterdir()) == []
    (tmp_path / "elsewhere").rmdir()
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.9, 0.99])
def test_a_truncated_backup_is_named(indexed: Path, tmp_path: Path, share: float) -> None:
    made = backup(indexed, tmp_path / "good.tar")
    content = made.path.read_bytes().rstrip(b"\0")
    (tmp_path / "short.tar").write_bytes(content[: int(len(content) * share)])

    with pytest.raises(BadBackup, match=r"short\.tar"):
        restore(tmp_path / "short.tar", tmp_path / "elsewhere")


def test_what_cannot_be_backed_up_or_restored_is_named(indexed: Path, tmp_path: Path) -> None:
    with pytest.raises(NothingToBackUp):
        backup(tmp_path / "nowhere", tmp_path / "a.tar")
    (tmp_path / "empty").mkdir()
    with pytest.raises(NothingToBackUp):
        backup(tmp_path / "empty", tmp_path / "a.tar")
    with pytest.raises(BadBackup, match="made of"):
        backup(indexed, indexed / "a.tar")
    with pytest.raises(BadBackup, match="no such file"):
        restore(tmp_path / "nowhere.tar", tmp_path / "elsewhere")
    with pytest.raises(BadBackup, match="folder"):
        restore(tmp_path, tmp_path / "elsewhere")
    assert not (tmp_path / "a.tar").exists()


def test_the_commands_tell_what_they_did(indexed: Path, tmp_path: Path) -> None:
    here, there = Youju(indexed), Youju(tmp_path / "elsewhere")

    made = json.loads(here("backup", str(tmp_path / "b.tar"), "--json").out)
    back = there("restore", str(tmp_path / "b.tar"))
    refused = there("restore", str(tmp_path / "b.tar"))

    assert made["generation"] in back.out
    assert back.code == 0
    assert refused.code == 2
    assert "--force" in refused.err
    shutil.rmtree(tmp_path / "elsewhere")
