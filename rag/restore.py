"""A backup put into a data directory, after every byte of it was checked.

It is unpacked inside the directory, under a name that nobody looks at, and put in place only when
it is whole: a damaged, truncated or hostile file changes nothing.
"""

import json
import os
import re
import shutil
import sqlite3
import tarfile
import tempfile
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

from rag.backup import FORMAT, GENERATIONS, LIST, Backup, Hashing, is_sqlite, told_of
from rag.errors import BadBackup, DataDirInUse, DataDirUnusable
from rag.lock import builder_lock
from rag.manifest import ManifestError, StoredFile, check_files, read_manifest, sync_directory
from rag.pointer import Pointer, PointerFile

_PART = re.compile(r"[^/\\:.\x00-\x1f][^/\\:\x00-\x1f]*")


def restore(source: Path, data_dir: Path, *, force: bool = False) -> Backup:
    """Put a backup into a data directory, after checking every byte of it.

    BadBackup names what is wrong with the file and leaves the directory as it was. A directory
    that holds something is DataDirInUse without `force`; with it, what the backup has is replaced.
    """
    if not force and data_dir.is_dir() and any(data_dir.iterdir()):
        raise DataDirInUse(data_dir)
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=data_dir, prefix=".restoring-") as folder:
            staged = Path(folder)
            told = _unpacked(source, staged)
            _check(source, staged, told)
            with builder_lock(data_dir, "youju restore"):
                _put_in_place(staged, data_dir, told)
    except (OSError, sqlite3.Error) as error:
        raise DataDirUnusable(data_dir, str(error)) from error
    return told_of(source, told)


def _unpacked(source: Path, staged: Path) -> dict[str, Any]:
    """Everything unpacked below a folder, nothing beside it; what the list of it says."""
    found: dict[str, StoredFile] = {}
    try:
        with source.open("rb") as file, tarfile.open(fileobj=file, mode="r:") as tar:
            for entry in tar:
                name = _safe_name(source, entry, found)
                found[name] = _unpack(tar, entry, staged)
        told = json.loads((staged / LIST).read_bytes())
        listed = {name: StoredFile(**stored) for name, stored in told["files"].items()}
        names = tuple(str(name) for name in told["serving"])
    except FileNotFoundError as error:
        why = "there is no such file" if not source.exists() else "its list is missing"
        raise BadBackup(source, why) from error
    except (tarfile.TarError, ValueError, KeyError, TypeError, AttributeError, EOFError) as error:
        raise BadBackup(source, f"it is damaged or no backup of youju: {error}") from error
    except IsADirectoryError as error:
        raise BadBackup(source, "it is a folder") from error
    if told.get("format") != FORMAT:
        raise BadBackup(source, f"it is of another format than {FORMAT}")
    found.pop(LIST)
    for name in sorted(listed.keys() | found.keys()):
        if listed.get(name) != found.get(name):
            raise BadBackup(source, f"{name} is not what was written")
    return {**told, "serving": names}


def _safe_name(source: Path, entry: tarfile.TarInfo, found: Mapping[str, StoredFile]) -> str:
    """The name of an entry that is a file of ours; BadBackup of a hostile archive."""
    parts = entry.name.split("/")
    sane = all(_PART.fullmatch(part) for part in parts) and (
        len(parts) == 1 or (parts[0] == GENERATIONS and len(parts) > 2)
    )
    if not sane or not entry.isreg() or entry.issparse() or entry.name in found:
        raise BadBackup(source, f"{entry.name!r} has no place in a backup")
    return entry.name


def _unpack(tar: tarfile.TarFile, entry: tarfile.TarInfo, staged: Path) -> StoredFile:
    path = staged / entry.name
    path.parent.mkdir(parents=True, exist_ok=True)
    opened = tar.extractfile(entry)
    assert opened is not None  # it is a file
    with opened, path.open("xb") as file:
        path.chmod(0o600)
        hashing = Hashing(opened)
        shutil.copyfileobj(hashing, file)
        file.flush()
        os.fsync(file.fileno())
        return StoredFile(file.tell(), hashing.digest.hexdigest())


def _check(source: Path, staged: Path, told: Mapping[str, Any]) -> None:
    """Every generation whole, every database readable."""
    for name in told["serving"]:
        directory = staged / GENERATIONS / name
        try:
            check_files(directory, read_manifest(directory), thorough=True)
        except (ManifestError, OSError) as error:
            raise BadBackup(source, f"the generation {name}: {error}") from error
    for path in staged.iterdir():
        if path.is_file() and is_sqlite(path):
            with closing(sqlite3.connect(path)) as database:
                if database.execute("PRAGMA quick_check(1)").fetchone() != ("ok",):
                    raise BadBackup(source, f"{path.name} is damaged")


def _put_in_place(staged: Path, data_dir: Path, told: Mapping[str, Any]) -> None:
    (staged / LIST).unlink()
    for path in sorted(staged.iterdir()):
        if path.is_file():
            _replace_file(path, data_dir / path.name)
    (data_dir / GENERATIONS).mkdir(exist_ok=True)
    for name in told["serving"]:
        _replace_generation(staged / GENERATIONS / name, data_dir / GENERATIONS / name)
    sync_directory(data_dir / GENERATIONS)
    pointers = PointerFile(data_dir)
    with pointers.lock():
        if told["serving"]:
            pointers.write(Pointer(told["serving"][0], tuple(told["serving"][1:])))
    sync_directory(data_dir)


def _replace_file(new: Path, old: Path) -> None:
    """Take a file's place; of a database in use the content, so that its users go on with it."""
    if old.exists() and is_sqlite(new):
        try:
            with (
                closing(sqlite3.connect(new)) as source,
                closing(sqlite3.connect(old, timeout=30)) as live,
            ):
                source.backup(live)
            return
        except sqlite3.DatabaseError:  # what is there is damaged
            for suffix in ("-wal", "-shm"):
                old.with_name(old.name + suffix).unlink(missing_ok=True)
    new.replace(old)


def _replace_generation(new: Path, old: Path) -> None:
    if old.exists():
        try:
            check_files(old, read_manifest(old), thorough=True)
            return
        except (ManifestError, OSError):
            shutil.rmtree(old.rename(old.with_name(f".swept-{old.name}")), ignore_errors=True)
    new.rename(old)
