"""One builder at a time on a data directory, across processes.

The lock is the kernel's, so it falls when its holder dies; a file beside it says who holds it.
"""

import json
import os
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from rag.errors import BuilderBusy, DataDirUnusable, DiskFull
from rag.full_disk import is_full


@contextmanager
def builder_lock(data_dir: Path, command: str) -> Iterator[None]:
    """Hold the builder's lock; BuilderBusy, at once, naming the holder, when it is taken."""
    from filelock import FileLock, Timeout

    holder = data_dir / "builder.json"
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        lock = FileLock(data_dir / "builder.lock", timeout=0).acquire()
        holder.write_text(json.dumps(_me(command)))
    except Timeout:
        raise BuilderBusy(holder_of(data_dir)) from None
    except OSError as error:
        if is_full(data_dir, error):
            raise DiskFull(data_dir) from error
        raise DataDirUnusable(data_dir, error.strerror or str(error)) from error
    with lock:
        try:
            yield
        finally:
            holder.unlink(missing_ok=True)


def is_held(data_dir: Path) -> bool:
    """Whether a builder is at work now."""
    from filelock import FileLock, Timeout

    if not (data_dir / "builder.lock").exists():
        return False
    try:
        with FileLock(data_dir / "builder.lock", timeout=0):
            return False
    except Timeout:
        return True
    except OSError:  # a directory that cannot be written is not built in
        return False


def holder_of(data_dir: Path) -> str:
    """Who builds, in a few words; the file may be gone or half-written, for no lock guards it."""
    try:
        told = json.loads((data_dir / "builder.json").read_text())
        return (
            f"`{told['command']}`, process {told['pid']} on {told['host']}, since {told['since']}"
        )
    except (OSError, ValueError, KeyError, TypeError):
        return "it has just begun"


def _me(command: str) -> dict[str, str | int]:
    since = datetime.now().astimezone().isoformat(sep=" ", timespec="seconds")
    return {"pid": os.getpid(), "host": socket.gethostname(), "command": command, "since": since}
