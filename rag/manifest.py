"""What a generation says about itself: its counts, its fingerprints, its files' checksums."""

import hashlib
import json
import os
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from corpus.article import FailedFile

FORMAT = 1  # of the data directory; another format is not read but built anew
FILE_NAME = "manifest.json"
# Chroma's SQLite writes to this one whenever it is opened, so only its size is compared.
_TOUCHED_BY_READERS = "chroma/chroma.sqlite3"
# Hashing this much takes about 20 ms; `youju doctor` hashes everything.
_CHECKED_ON_OPENING = 16_000_000


class ManifestError(ValueError):
    """The manifest or a file it names is not as it was written; the message says which."""


@dataclass(frozen=True, slots=True)
class StoredFile:
    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """Written last, so that a directory with a manifest is a whole generation.

    `fingerprints` has one entry for each thing whose change makes the generation stale; `model`
    is the embedder's name; `corpus` covers every byte of the articles' folder; `files` is keyed
    by the path inside the directory. `churn` counts the vectors deleted from the graph since it was
    built afresh, and `nearest` is the share of a sample's neighbours that it found then.
    """

    name: str
    built_at: str
    parent: str | None
    articles: int
    passages: int
    dimensions: int
    model: str
    corpus: str
    fingerprints: Mapping[str, str]
    failed: tuple[FailedFile, ...] = ()
    files: Mapping[str, StoredFile] = field(default_factory=dict)
    churn: int = 0
    nearest: float = 1.0
    format: int = FORMAT


def read_manifest(directory: Path) -> Manifest:
    """Read and check the form; ManifestError says what is wrong."""
    try:
        raw = json.loads((directory / FILE_NAME).read_bytes())
    except (OSError, ValueError) as error:
        raise ManifestError(f"{FILE_NAME} cannot be read: {error}") from error
    if not isinstance(raw, dict) or raw.get("format") != FORMAT:
        raise ManifestError(f"{FILE_NAME} is of another format than {FORMAT}")
    try:
        return _manifest(raw)
    except (TypeError, KeyError, AttributeError) as error:
        raise ManifestError(f"{FILE_NAME} is incomplete: {error}") from error


def write_manifest(directory: Path, manifest: Manifest) -> None:
    """Write aside, sync, put in place, sync the directory."""
    text = json.dumps(asdict(manifest), ensure_ascii=False, indent=1)
    replace_file(directory / FILE_NAME, text.encode())


def replace_file(path: Path, content: bytes) -> None:
    """Replace a file so that a reader, or a crash, sees the old content or the new one, whole."""
    aside = path.with_name(f"{path.name}.{os.getpid()}.new")
    try:
        with aside.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        aside.replace(path)
    except BaseException:
        aside.unlink(missing_ok=True)
        raise
    sync_directory(path.parent)


def sync_directory(directory: Path) -> None:
    """Make renames and new names in a directory durable."""
    if sys.platform == "win32":  # cannot open a directory, and does not need to
        return
    handle = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def stored_files(directory: Path) -> dict[str, StoredFile]:
    """Size and SHA-256 of every file of a generation, each synced to disk."""
    found = {}
    for path in sorted(directory.rglob("*")):
        if path.is_file() and path.name not in (FILE_NAME, "lock"):
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            found[path.relative_to(directory).as_posix()] = StoredFile(path.stat().st_size, digest)
    return found


def check_files(directory: Path, manifest: Manifest, *, thorough: bool = False) -> None:
    """Compare the files with the manifest: sizes, and checksums when it is little or thorough."""
    total = sum(file.size for file in manifest.files.values())
    for name, file in manifest.files.items():
        path = directory / name
        size = path.stat().st_size if path.is_file() else -1
        if size != file.size and not (name == _TOUCHED_BY_READERS and size > file.size):
            raise ManifestError(f"{name} has {max(size, 0):,} bytes instead of {file.size:,}")
        if name != _TOUCHED_BY_READERS and (thorough or total <= _CHECKED_ON_OPENING):
            _check_digest(path, name, file)


def _check_digest(path: Path, name: str, file: StoredFile) -> None:
    with path.open("rb") as opened:
        if hashlib.file_digest(opened, "sha256").hexdigest() != file.sha256:
            raise ManifestError(f"{name} is not what was written")


def _manifest(raw: dict[str, Any]) -> Manifest:
    failed = tuple(FailedFile(**entry) for entry in raw.pop("failed"))
    files = {name: StoredFile(**entry) for name, entry in raw.pop("files").items()}
    return Manifest(**raw, failed=failed, files=files)
