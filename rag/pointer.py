"""CURRENT: the file that says which generation serves, replaced whole with each switch."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from rag.errors import DataDirUnusable
from rag.full_disk import told_plainly
from rag.manifest import FORMAT, replace_file

_log = logging.getLogger(__name__)
Stamp = tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Pointer:
    """The generation that serves, and those one can roll back to, the latest first."""

    current: str
    history: tuple[str, ...] = ()

    @property
    def names(self) -> tuple[str, ...]:
        return (self.current, *self.history)


class PointerFile:
    """CURRENT in a data directory, and the lock under which it is read to be rewritten."""

    def __init__(self, data_dir: Path) -> None:
        self._data_dir, self._path = data_dir, data_dir / "CURRENT"

    def stamp(self) -> Stamp | None:
        """What changes with every rewriting: inode, time and size; None without a file."""
        try:
            found = self._path.stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataDirUnusable(self._data_dir, error.strerror or str(error)) from error
        return found.st_ino, found.st_mtime_ns, found.st_size

    def read(self) -> Pointer | None:
        """What it says; None when it is not there, damaged or of another format."""
        try:
            raw = json.loads(self._path.read_bytes())
            pointer = Pointer(str(raw["current"]), tuple(map(str, raw["history"])))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise DataDirUnusable(self._data_dir, error.strerror or str(error)) from error
        except (ValueError, KeyError, TypeError) as error:
            _log.warning("%s is damaged (%s): the newest index is used.", self._path, error)
            return None
        return pointer if raw.get("format") == FORMAT else None

    def write(self, pointer: Pointer) -> None:
        """Replace it; where that cannot be DiskFull or DataDirUnusable, and it is as it was."""
        told = {"format": FORMAT, "current": pointer.current, "history": pointer.history}
        with told_plainly(self._data_dir):
            replace_file(self._path, json.dumps(told).encode())

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Held, for moments, by whoever reads in order to write."""
        from filelock import FileLock

        with FileLock(self._data_dir / "pointer.lock", timeout=30):
            yield
