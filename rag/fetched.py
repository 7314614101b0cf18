"""What this machine has fetched of a server's generations: a copy each of their files.

<root>/
├── CURRENT                which generation served when the server was last heard of
├── home                   a name for this directory, by which a builder knows its own dead
├── fetch.lock             held by the one process that fetches
└── generations/<name>/    the files of a generation, without its vectors
    ├── .building-*        staged by a builder here
    └── .fetching-*        half-fetched
"""

import secrets
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

from rag.errors import DataDirUnusable
from rag.local_shelf import sweep
from rag.manifest import check_files, read_manifest, replace_file, sync_directory
from rag.parcels import Parcels
from rag.pointer import PointerFile

_FETCHING = ".fetching-"


class Fetched:
    """The copies under one directory. Any thread may ask, processes may share it."""

    def __init__(self, root: Path, parcels: Parcels) -> None:
        self._root, self._parcels = root, parcels
        self.directory = root / "generations"
        self.kept = PointerFile(root)

    def ensure(self, name: str) -> Path:
        """The directory of a generation's copy, fetched unless it is there.

        BrokenGeneration when the server's is damaged, VectorsUnreachable when it cannot be asked.
        """
        directory = self.directory / name
        if not directory.is_dir():
            with self._fetching():
                if not directory.is_dir():  # else another process was faster
                    self._fetch(name, directory)
        return directory

    def here(self, name: str) -> bool:
        """Whether there is a whole copy."""
        try:
            check_files(self.directory / name, read_manifest(self.directory / name))
        except (ValueError, OSError):
            return False
        return True

    def adopt(self, staged: Path, name: str) -> None:
        """Take what was built here as the copy."""
        staged.rename(self.directory / name)
        sync_directory(self.directory)

    def drop(self, name: str) -> bool:
        """Remove a copy; whether it is gone, for someone may read it."""
        try:
            return sweep(self.directory / name)
        except OSError:
            return not (self.directory / name).exists()

    def sweep(self, kept: Sequence[str]) -> list[str]:
        """Remove the copies that are not kept and that nobody reads."""
        names = [path.name for path in self._directories() if not path.name.startswith(".")]
        return [name for name in names if name not in kept and self.drop(name)]

    def sweep_staged(self) -> list[str]:
        """Remove what a killed builder staged; for the builder, which holds the builder's lock."""
        left = [path for path in self._directories() if path.name.startswith(".")]
        return [p.name for p in left if not p.name.startswith(_FETCHING) and sweep(p)]

    def home(self) -> str:
        """A name for this directory that no other has."""
        path = self._root / "home"
        try:
            self._root.mkdir(parents=True, exist_ok=True)
            if not path.is_file():
                replace_file(path, secrets.token_hex(16).encode())
            return path.read_text(encoding="ascii")
        except OSError as error:
            raise DataDirUnusable(self._root, error.strerror or str(error)) from error

    def _fetch(self, name: str, directory: Path) -> None:
        for left in self._directories():
            if left.name.startswith(_FETCHING):
                sweep(left)  # by one who was killed: we hold the lock
        aside = self.directory / f"{_FETCHING}{name}"
        aside.mkdir()
        try:
            self._parcels.fetch(name, aside)
            aside.rename(directory)
        finally:
            shutil.rmtree(aside, ignore_errors=True)

    @contextmanager
    def _fetching(self) -> Iterator[None]:
        from filelock import FileLock

        try:
            self.directory.mkdir(parents=True, exist_ok=True)
            lock = FileLock(self._root / "fetch.lock").acquire()
        except OSError as error:
            raise DataDirUnusable(self._root, error.strerror or str(error)) from error
        with lock:
            yield

    def _directories(self) -> list[Path]:
        try:
            return [*self.directory.iterdir()]
        except OSError:
            return []
