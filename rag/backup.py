"""The data directory as one file, made while it is in use; `rag.restore` puts it back.

A backup is a plain tar: what was embedded, what the bot remembers, the key of its hashes, the
generations that serve or can be rolled back to, and last a list of all that with checksums. It
holds the key and people's questions, so it is readable to its owner alone. Articles and settings
are not in it.
"""

import hashlib
import json
import os
import re
import sqlite3
import tarfile
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Any

from rag.errors import BadBackup, BrokenGeneration, DataDirUnusable, NothingToBackUp
from rag.generation import Hold
from rag.manifest import StoredFile, sync_directory
from rag.pointer import Pointer, PointerFile

FORMAT = 1
LIST = "youju-backup.json"
GENERATIONS = "generations"
_TOUCHED_BY_READERS = "chroma.sqlite3"
_SQLITE = b"SQLite format 3\0"
# Locks, what SQLite keeps beside its files, what is half-written: of no use anywhere else.
_LEFT_OUT = re.compile(r"\..*|.*\.lock|.*-wal|.*-shm|.*-journal|.*\.new|builder\.json|CURRENT")


@dataclass(frozen=True, slots=True)
class Backup:
    """What is in a backup; `generation` is the one that serves, None when none did."""

    path: Path
    made_at: str
    generation: str | None
    generations: tuple[str, ...]
    files: int
    bytes: int


def backup(data_dir: Path, target: Path) -> Backup:
    """Write everything into one file, whole or not at all; whoever serves is not disturbed."""
    if not data_dir.is_dir():
        raise NothingToBackUp(data_dir)
    if target.resolve().is_relative_to(data_dir.resolve()):
        raise BadBackup(target, "it would lie in the directory that it is made of")
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        with (
            _held(data_dir) as pointer,
            tempfile.TemporaryDirectory(dir=target.parent, prefix=".youju-backup-") as scratch,
        ):
            made = _written(data_dir, target, pointer, Path(scratch))
    except (OSError, sqlite3.Error, tarfile.TarError) as error:
        raise DataDirUnusable(data_dir, str(error)) from error
    return made


@contextmanager
def _held(data_dir: Path) -> Iterator[Pointer | None]:
    """The generations that CURRENT names, kept from being swept away meanwhile."""
    pointers = PointerFile(data_dir)
    with ExitStack() as holds:
        with pointers.lock():
            pointer, names = pointers.read(), []
            for name in pointer.names if pointer else ():
                try:
                    hold = Hold.shared(data_dir / GENERATIONS / name)
                except BrokenGeneration:
                    continue
                holds.callback(hold.release)
                names.append(name)
        yield Pointer(names[0], tuple(names[1:])) if names else None


def _written(data_dir: Path, target: Path, pointer: Pointer | None, scratch: Path) -> Backup:
    archive, listed = scratch / "archive.tar", {}
    with archive.open("wb") as file:
        archive.chmod(0o600)
        with tarfile.open(fileobj=file, mode="w") as tar:
            for name, path in _files(data_dir, pointer):
                listed[name] = _add(tar, name, _frozen(name, path, scratch))
            if not listed:
                raise NothingToBackUp(data_dir)
            made_at = datetime.now(UTC).isoformat(timespec="seconds")
            told = {"format": FORMAT, "made_at": made_at}
            told |= {"serving": pointer.names if pointer else ()}
            told |= {"files": {name: asdict(stored) for name, stored in listed.items()}}
            _add_list(tar, scratch, told)
        file.flush()
        os.fsync(file.fileno())
    archive.replace(target)
    sync_directory(target.parent)
    return told_of(target, told)


def _files(data_dir: Path, pointer: Pointer | None) -> Iterator[tuple[str, Path]]:
    """What belongs into a backup, by its name in it."""
    for path in sorted(data_dir.iterdir()):
        if path.is_file() and not path.is_symlink() and not _LEFT_OUT.fullmatch(path.name):
            yield path.name, path
    for name in pointer.names if pointer else ():
        directory = data_dir / GENERATIONS / name
        for path in sorted(directory.rglob("*")):
            if path.is_file() and path.name != "lock" and not path.name.endswith(("-wal", "-shm")):
                yield path.relative_to(data_dir).as_posix(), path


def _frozen(name: str, path: Path, scratch: Path) -> Path:
    """The file itself if it never changes; of a database in use a copy as of one moment."""
    frozen = name.startswith(f"{GENERATIONS}/") and path.name != _TOUCHED_BY_READERS
    if frozen or not is_sqlite(path):
        return path
    copied = scratch / "database"
    copied.unlink(missing_ok=True)
    with (
        closing(sqlite3.connect(path, timeout=30)) as source,
        closing(sqlite3.connect(copied)) as copy,
    ):
        source.backup(copy)
    return copied


def is_sqlite(path: Path) -> bool:
    """Whether a file begins as SQLite's do, whatever its name."""
    with path.open("rb") as file:
        return file.read(len(_SQLITE)) == _SQLITE


class Hashing:
    """A file that is being read, and the checksum of what was read."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self.digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        chunk = self._file.read(size)
        self.digest.update(chunk)
        return chunk


def _add(tar: tarfile.TarFile, name: str, path: Path) -> StoredFile:
    with path.open("rb") as file:
        entry, hashing = tarfile.TarInfo(name), Hashing(file)
        entry.size, entry.mode = os.fstat(file.fileno()).st_size, 0o600
        tar.addfile(entry, hashing)
        return StoredFile(entry.size, hashing.digest.hexdigest())


def _add_list(tar: tarfile.TarFile, scratch: Path, told: Mapping[str, Any]) -> None:
    path = scratch / "list"
    path.write_text(json.dumps(told, ensure_ascii=False), encoding="utf-8")
    _add(tar, LIST, path)


def told_of(path: Path, told: Mapping[str, Any]) -> Backup:
    """What the list of a backup says of it."""
    names, files = tuple(told["serving"]), told["files"]
    size = sum(stored["size"] for stored in files.values())
    return Backup(path, told["made_at"], names[0] if names else None, names, len(files), size)
