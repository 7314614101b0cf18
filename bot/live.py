"""An answer that a language model writes, watched in a terminal: its draft, then what stands."""

import signal
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.live import Live
from rich.text import Text

from bot.escape import printable
from bot.sentence_ends import whole_sentences
from bot.show import fitted, out
from bot.texts import language_of, text
from rag.result import Answer, Variant
from rag.service import Service
from rag.variant import resolve


def answered(
    service: Service,
    question: str,
    history: Sequence[str],
    variant: Variant | None,
    *,
    watched: bool = True,
) -> Answer:
    """Ask; in a terminal, and unless `watched` is False, with the draft while a model writes.

    There the first Ctrl-C ends the writing, and the answer is what stands; a second ends all.
    """
    if not watched or service.author is None or not out.is_terminal:
        return service.ask(question, history=history, variant=variant)
    language = language_of(resolve(question, variant, None, service.settings.variant))
    with (
        _stopped_by_ctrl_c() as stop,
        Live(console=out, transient=True, auto_refresh=False) as live,
    ):

        def show(written: str) -> None:
            live.update(_drawn(whole_sentences(written), language), refresh=True)

        show("")
        return service.ask(question, history=history, variant=variant, on_text=show, stop=stop)


def _drawn(written: str, language: str) -> Text:
    told = text(language, "draft.title" if written else "draft.writing")
    head = Text(f"✍ {told} {text(language, 'draft.stop')}", "dim")
    lines = [*fitted(head), *fitted(Text(printable(written), "italic"))]
    # What is longer than the screen cannot be drawn over again: the latest lines are shown.
    room = max(4, out.height - 2)
    return Text("\n").join(lines if len(lines) <= room else [lines[0], *lines[1 - room :]])


@contextmanager
def _stopped_by_ctrl_c() -> Iterator[threading.Event]:
    """An event that Ctrl-C sets; once it is set, Ctrl-C is itself again."""
    stop = threading.Event()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # only the main thread hears signals
        return
    before = signal.getsignal(signal.SIGINT)

    def end(_signal: int, _frame: Any) -> None:
        stop.set()
        signal.signal(signal.SIGINT, before)

    signal.signal(signal.SIGINT, end)
    try:
        yield stop
    finally:
        signal.signal(signal.SIGINT, before)
