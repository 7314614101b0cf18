"""What happened to a data directory: killed builders, a lost pointer, files set aside.

For `youju doctor`; all of it mends itself with the next reindex, and nothing here changes a byte.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from rag.local_shelf import LocalShelf
from rag.lock import holder_of, is_held


@dataclass(frozen=True, slots=True)
class Trace:
    """Something that happened; `harm` unless it is over and done with."""

    told: str
    harm: bool = True


def traces(data_dir: Path, *, pointed: bool = True) -> Iterator[Trace]:
    """What can still be seen of what happened; `pointed` when the directory has its own CURRENT."""
    shelf = LocalShelf(data_dir)
    if not shelf.directory.is_dir():
        return
    building = is_held(data_dir)
    yield from _of_builders(shelf, building)
    if pointed:
        yield from _of_the_pointer(shelf)
    for path in sorted(data_dir.glob("*.damaged-*")):
        name = path.name.partition(".damaged-")[0]
        yield Trace(f"{name} was damaged, set aside as {path.name} and begun anew", harm=False)


def _of_builders(shelf: LocalShelf, building: bool) -> Iterator[Trace]:
    if building:
        yield Trace(f"a reindex is running ({holder_of(shelf.data_dir)})", harm=False)
        return
    if (shelf.data_dir / "builder.json").exists():
        yield Trace(f"a reindex was killed ({holder_of(shelf.data_dir)})")
    for name, size in shelf.half_built():
        yield Trace(f"{name} is half-built and takes {size / 1e6:.1f} MB")


def _of_the_pointer(shelf: LocalShelf) -> Iterator[Trace]:
    if shelf.pointers.read() is None and shelf.present():
        lost = "is damaged" if (shelf.data_dir / "CURRENT").exists() else "is lost"
        yield Trace(f"CURRENT {lost}; the newest generation serves")
