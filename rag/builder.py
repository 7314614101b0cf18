"""The child process of a reindex: `python -m rag.builder`, an order on stdin, messages on stdout.

It ends itself when its parent dies, for then stdin ends. Nothing but messages reaches stdout:
whatever a library prints goes to stderr.
"""

import json
import logging
import os
import signal
import sys
import threading
import time
import traceback
from typing import IO, NoReturn

from rag.errors import BuilderFailed, YoujuError
from rag.order import Message, Order, error_message, line, progress_message, report_message
from rag.result import Progress

_EVERY = 0.1  # seconds between two progress messages of one stage


class Channel(logging.Handler):
    """The way to the parent: messages, and the warnings of our own loggers."""

    def __init__(self, stream: IO[str]) -> None:
        super().__init__(logging.WARNING)
        self._stream, self._told, self._stage = stream, 0.0, ""

    def say(self, message: Message) -> None:
        """Send a message; a parent that is gone hears nothing, and stdin's end stops us."""
        try:
            self._stream.write(line(message))
            self._stream.flush()
        except BrokenPipeError:
            pass

    def tell(self, progress: Progress) -> None:
        """Send a step, though not every one of thousands; while it switches nothing ends us."""
        signal.signal(signal.SIGTERM, signal.SIG_IGN if progress.stage == "switch" else _leave)
        now = time.monotonic()
        whole = progress.done in (0, progress.total)
        if whole or progress.stage != self._stage or now - self._told >= _EVERY:
            self._told, self._stage = now, progress.stage
            self.say(progress_message(progress))

    def emit(self, record: logging.LogRecord) -> None:
        self.say({"warning": record.getMessage()})


def main() -> int:
    """Carry out the order on stdin; 0 when it was, 1 when an error was sent, 2 without an order."""
    channel = Channel(_own_stdout())
    for name in ("rag", "corpus"):
        logging.getLogger(name).addHandler(channel)
    signal.signal(signal.SIGTERM, _leave)
    ordered = sys.stdin.readline()
    if not ordered:
        return 2
    threading.Thread(target=_die_with_parent, daemon=True).start()
    if hasattr(os, "nice"):
        os.nice(5)  # the one who answers questions comes first
    return _carry_out(Order(**json.loads(ordered)), channel)


def _carry_out(order: Order, channel: Channel) -> int:
    try:
        from rag.rebuild import rebuild

        channel.say(report_message(rebuild(order, channel.tell)))
    except YoujuError as error:
        channel.say(error_message(error))
        return 1
    except Exception as error:
        traceback.print_exc()
        channel.say(error_message(BuilderFailed(f"{type(error).__name__}: {error}")))
        return 1
    return 0


def _own_stdout() -> IO[str]:
    """Keep stdout for messages: file descriptor 1 becomes stderr for everyone else."""
    stream = os.fdopen(os.dup(1), "w", encoding="ascii")
    os.dup2(2, 1)
    return stream


def _die_with_parent() -> NoReturn:
    """Wait for stdin to end; what is half-built, the next builder removes."""
    while os.read(0, 1):  # not sys.stdin: its lock would be ours while the interpreter ends
        pass
    os._exit(1)


def _leave(signum: int, _frame: object) -> NoReturn:
    raise SystemExit(128 + signum)


if __name__ == "__main__":
    status = main()
    sys.stderr.flush()
    os._exit(status)  # everything is written and closed; tearing down libraries takes 0.1 s
