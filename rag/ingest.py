"""A reindex, as its caller sees it: a child process builds, this one listens and may end it.

The child holds all that is heavy, and all that holds the GIL: a bot goes on answering meanwhile.
"""

import json
import logging
import math
import os
import queue
import subprocess
import sys
import threading
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from rag.errors import BuilderFailed, YoujuError
from rag.order import Message, Order, error_from, line, progress_from, report_from
from rag.result import Listener, ReindexReport
from rag.shelves import shelf_for

if TYPE_CHECKING:
    from rag.settings import Settings

_log = logging.getLogger(__name__)
_ROOT = Path(__file__).resolve().parent.parent
# -P: no module of the working directory may take the place of one of ours.
_BUILDER = ("-P", "-m", "rag.builder")
_TICK = 0.1  # seconds between two looks at `cancel`
_GRACE = 5.0  # seconds for a child that was asked to end, to clean up behind itself
_CANCELLED = "it was cancelled"
_TAIL = 30  # lines of the child's stderr that are kept for an error


def reindex(
    settings: "Settings",
    *,
    dry_run: bool = False,
    full: bool = False,
    force: bool = False,
    progress: Listener | None = None,
    cancel: threading.Event | None = None,
) -> ReindexReport:
    """Bring the index up to the articles' folder; what serves goes on serving until it is whole.

    `full` builds a new generation even if nothing changed; text that was embedded before is not
    embedded again either way. `dry_run` reports what would be done and writes nothing. `force`
    lets a new index serve even if it answers golden questions worse. Raises CorpusError (among
    them CanaryFell, which names the questions that got worse), BuilderBusy, DataDirUnusable or,
    past the deadline or cancelled, BuilderFailed; after each of them the index is as it was.
    """
    order = Order.of(settings, dry_run=dry_run, full=full, force=force)
    try:
        return _ordered(order, settings.reindex_deadline, progress, cancel)
    except BuilderFailed:
        if not dry_run:
            _tidy(order)
        raise


def _ordered(
    order: Order, seconds: float, progress: Listener | None, cancel: threading.Event | None
) -> ReindexReport:
    with _child(order) as child:
        for message in _messages(child, seconds, cancel):
            if "progress" in message and progress is not None:
                progress(progress_from(message))
            elif "warning" in message:
                _log.warning("%s", message["warning"])
            elif "error" in message:
                raise error_from(message)
            elif "report" in message:
                return report_from(message)
        raise BuilderFailed(child.epitaph())


class _Child:
    """The builder's process and what it has said so far."""

    def __init__(self, process: "subprocess.Popen[str]") -> None:
        self.process = process
        self.said: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._tail: deque[str] = deque(maxlen=_TAIL)
        self._listeners = [
            threading.Thread(target=self._hear, args=(process.stdout,), daemon=True),
            threading.Thread(target=self._note, args=(process.stderr,), daemon=True),
        ]
        for listener in self._listeners:
            listener.start()

    def epitaph(self) -> str:
        """How it died, and its last words."""
        code = self.process.wait()
        how = f"killed by signal {-code}" if code < 0 else f"ended with status {code}"
        self._listeners[1].join(_GRACE)
        return f"{how}: {' | '.join(self._tail).strip()}" if self._tail else how

    def end(self) -> None:
        """Ask it to end, then make it end."""
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(_GRACE)
            except subprocess.TimeoutExpired:
                self.process.kill()
        self.process.wait()
        for listener in self._listeners:
            listener.join()

    def _hear(self, stream: IO[str]) -> None:
        for text in stream:
            self.said.put(text)
        self.said.put(None)

    def _note(self, stream: IO[str]) -> None:
        self._tail.extend(text.rstrip() for text in stream)


@contextmanager
def _child(order: Order) -> Iterator[_Child]:
    """The builder, ended when the block is left; it ends itself when this process dies."""
    with subprocess.Popen(
        [sys.executable, *_BUILDER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        encoding="utf-8",
        errors="replace",
        env=_environment(),
        # Ctrl-C is for us: we end the child, and it cleans up.
        start_new_session=True,
    ) as process:
        child = _Child(process)
        try:
            _tell(process, order)
            yield child
        finally:
            child.end()


def _tidy(order: Order) -> None:
    """Remove what a killed builder left half-built; if another one runs, it does that itself."""
    shelf = shelf_for(order)
    with suppress(YoujuError, OSError), closing(shelf), shelf.builder_lock("cleaning up"):
        shelf.clean_half_built()


def _tell(process: "subprocess.Popen[str]", order: Order) -> None:
    """Give the order and leave stdin open: its end is how the child learns of our death."""
    assert process.stdin is not None
    try:
        process.stdin.write(line(asdict(order)))
        process.stdin.flush()
    except BrokenPipeError:
        pass  # it died at once; its last words come with the epitaph


def _environment() -> dict[str, str]:
    paths = [str(_ROOT), *filter(None, [os.environ.get("PYTHONPATH")])]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(paths), "PYTHONUNBUFFERED": "1"}


def _messages(child: _Child, seconds: float, cancel: threading.Event | None) -> Iterator[Message]:
    """What the child says, until it says no more.

    A child that is asked to end, ends, unless the new index may serve already: then it goes on to
    its report, and it was too late to cancel.
    """
    deadline = time.monotonic() + seconds
    asked_to_end = math.inf
    switching = False
    while True:
        if cancel is not None and cancel.is_set() and asked_to_end == math.inf:
            asked_to_end = time.monotonic()
            child.process.terminate()
        now = time.monotonic()
        if now > asked_to_end + _GRACE and not switching:
            raise BuilderFailed(_CANCELLED)
        if now > deadline:
            raise BuilderFailed(f"it took longer than {seconds:g} seconds")
        try:
            said = child.said.get(timeout=_TICK)
        except queue.Empty:
            continue
        if said is None and asked_to_end < math.inf:
            raise BuilderFailed(_CANCELLED)
        if said is None:
            return
        message = _parsed(said)
        if "progress" in message:
            switching = message["progress"]["stage"] == "switch"
        yield message


def _parsed(said: str) -> Mapping[str, Any]:
    try:
        message = json.loads(said)
    except ValueError:
        message = None
    return message if isinstance(message, dict) else {"warning": said.rstrip()}
