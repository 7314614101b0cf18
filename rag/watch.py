"""Changes of the articles' folder, as they happen: for someone who writes and asks by turns."""

import threading
from collections.abc import Iterator
from pathlib import Path

from rag.errors import CorpusMissing
from rag.terms import LOCAL_FILE

_QUIET = 500  # milliseconds without another change: an editor writes a file in several steps
_AT_MOST = 5000  # milliseconds after which changes that never end are told all the same
_LOOK = 200  # milliseconds between two looks at `stop`


def changes_of(corpus_dir: Path, data_dir: Path, stop: threading.Event) -> Iterator[int]:
    """How many files changed, each time that some did and quiet has returned; ends with `stop`.

    Only files that a reindex reads count, and none in the data directory. CorpusMissing when there
    is no folder to watch.
    """
    from watchfiles import watch

    if not corpus_dir.is_dir():  # watchfiles would wait for it without a word
        raise CorpusMissing(corpus_dir)
    seen = _Seen(corpus_dir.resolve(), data_dir.resolve())
    try:
        for changed in watch(
            corpus_dir,
            watch_filter=seen,
            debounce=_AT_MOST,
            step=_QUIET,
            rust_timeout=_LOOK,
            stop_event=stop,
            raise_interrupt=True,
            ignore_permission_denied=True,
        ):
            yield len(changed)
    except FileNotFoundError:
        raise CorpusMissing(corpus_dir) from None


class _Seen:
    """Whether a path is one that a reindex would read."""

    def __init__(self, root: Path, data_dir: Path) -> None:
        self._root, self._data_dir = root, data_dir

    def __call__(self, _: object, changed: str) -> bool:
        from corpus.read import SUFFIXES

        path = Path(changed)
        if path.is_relative_to(self._data_dir):
            return False
        below = path.relative_to(self._root).parts if path.is_relative_to(self._root) else ()
        if any(part.startswith(".") for part in below):
            return False
        # Without a suffix it may be a folder that was moved in or away.
        return path.suffix.lower() in {*SUFFIXES, ""} or path.name == LOCAL_FILE
