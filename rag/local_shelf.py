"""Generations in a data directory, the shelf that needs nothing but a disk.

<data_dir>/
├── CURRENT              names the generation that serves and those before it
├── generations/<name>/  one directory each, never changed after it has this name
│   └── .building-*      half-built, of no interest to a reader
└── embeddings.sqlite    what was embedded once

A reader looks at CURRENT's inode with each question, so it follows what another process built.
"""

import secrets
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rag.filling import copy_frozen, writable
from rag.generation import CHROMA, Generation, Hold
from rag.lock import builder_lock
from rag.manifest import Manifest, ManifestError, check_files, read_manifest, sync_directory
from rag.pointer import PointerFile
from rag.shelf import Shelf

_BUILDING, _SWEPT = ".building-", ".swept-"


class LocalShelf(Shelf):
    """The generations under one data directory."""

    copies = True

    def __init__(self, data_dir: Path, keep: int = 2) -> None:
        self.data_dir, self.keep = data_dir, keep
        self.directory = data_dir / "generations"
        self.pointers = PointerFile(data_dir)

    def present(self) -> Sequence[str]:
        manifests: dict[str, Manifest] = {}
        for path in self._directories():
            if not path.name.startswith("."):
                with suppress(ManifestError):
                    manifests[path.name] = read_manifest(path)
        newest = sorted(manifests, key=lambda name: _age(manifests, name), reverse=True)
        return tuple(newest)

    def manifest(self, name: str) -> Manifest:
        return read_manifest(self.directory / name)

    def open(self, name: str) -> Generation:
        return Generation.open(self.directory / name)

    def damage(self, name: str, *, thorough: bool = False) -> str | None:
        directory = self.directory / name
        try:
            check_files(directory, read_manifest(directory), thorough=thorough)
        except (ManifestError, OSError) as error:
            return str(error)
        return None

    def builder_lock(self, command: str) -> AbstractContextManager[None]:
        return builder_lock(self.data_dir, command)

    @contextmanager
    def staging(self) -> Iterator[Path]:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{secrets.token_hex(3)}"
        staged = self.directory / f"{_BUILDING}{name}"
        staged.mkdir(parents=True)
        try:
            yield staged
        finally:
            shutil.rmtree(staged, ignore_errors=True)

    @contextmanager
    def collection(self, staged: Path, passages: int, copy_of: str | None = None) -> Iterator[Any]:
        if copy_of is not None:
            copy_frozen(self.directory / copy_of / CHROMA, staged / CHROMA)
        with writable(staged / CHROMA, passages) as collection:
            yield collection

    def open_staged(self, staged: Path) -> Generation:
        return Generation.open(staged)

    def publish(self, staged: Path) -> str:
        name = staged_name(staged)
        for directory in (staged, *(path for path in staged.rglob("*") if path.is_dir())):
            sync_directory(directory)
        staged.rename(self.directory / name)
        sync_directory(self.directory)
        self.point(name)
        return name

    def clean(self) -> Sequence[str]:
        with self.pointers.lock():
            kept = self.names()[: self.keep]
            return [p.name for p in self._directories() if p.name not in kept and sweep(p)]

    def clean_half_built(self) -> Sequence[str]:
        return [p.name for p in self._directories() if p.name.startswith(".") and sweep(p)]

    def half_built(self) -> Sequence[tuple[str, int]]:
        """What a killed builder left, or one that runs is at, and its bytes."""
        return [(p.name, _size(p)) for p in self._directories() if p.name.startswith(".")]

    def _directories(self) -> Sequence[Path]:
        try:
            return [*self.directory.iterdir()]
        except FileNotFoundError:
            return []


def _age(manifests: Mapping[str, Manifest], name: str) -> tuple[int, str]:
    """Descent before dates, since a clock may have been set back between two of them."""
    ancestors, at = 0, manifests.get(manifests[name].parent or "")
    while at is not None and ancestors < len(manifests):
        ancestors, at = ancestors + 1, manifests.get(at.parent or "")
    return ancestors, manifests[name].built_at


def staged_name(staged: Path) -> str:
    """The name that a staged generation will have."""
    return staged.name.removeprefix(_BUILDING)


def _size(directory: Path) -> int:
    return sum(path.stat().st_size for path in directory.rglob("*") if path.is_file())


def sweep(path: Path) -> bool:
    """Remove a directory that nobody reads; renamed first, so that nobody can open it."""
    if not path.name.startswith("."):
        hold = Hold.exclusive(path)
        if hold is None:
            return False
        path = path.rename(path.with_name(f"{_SWEPT}{path.name}"))
        hold.release()
    shutil.rmtree(path, ignore_errors=True)
    return not path.exists()
