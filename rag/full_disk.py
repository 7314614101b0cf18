"""A full or unwritable disk, whatever SQLite, Chroma and NumPy make of it, is one error of ours."""

import errno
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rag.errors import DataDirUnusable, DiskFull, YoujuError

_FULL = ("no space left", "disk is full", "quota exceeded", "os error 28", "file too large")
_NEXT_TO_NOTHING = 4 * 1024 * 1024


@contextmanager
def told_plainly(data_dir: Path) -> Iterator[None]:
    """Turn what a full or unwritable disk makes of SQLite, Chroma and NumPy into one error."""
    try:
        yield
    except YoujuError:
        raise
    except Exception as error:
        if is_full(data_dir, error):
            raise DiskFull(data_dir) from error
        if isinstance(error, PermissionError) or getattr(error, "errno", None) == errno.EROFS:
            raise DataDirUnusable(data_dir, str(error)) from error
        raise


def is_full(directory: Path, error: BaseException) -> bool:
    """Whether an error comes of a full disk; NumPy and Chroma do not say why a write failed."""
    if any(sign in str(error).lower() for sign in _FULL):
        return True
    try:
        return shutil.disk_usage(directory).free < _NEXT_TO_NOTHING
    except OSError:
        return False
