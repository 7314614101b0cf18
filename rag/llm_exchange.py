"""One call to a language model in a thread of its own, which the asker can leave at any moment.

`timeout` of the client libraries is for each read, and a name look-up has none. So a worker
talks, the asker waits with a clock, and on leaving cuts the connection, which ends the worker.
"""

import queue
import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from rag.llm_budget import Budget
from rag.llm_faults import failure_of

_LOOK = 0.05  # seconds between two looks at the stop button


@dataclass(frozen=True, slots=True)
class Address:
    """Where a model is and what it is called; the key shows in no repr."""

    base_url: str
    model: str
    key: Callable[[], str]


@dataclass(frozen=True, slots=True)
class Piece:
    """Some text, or what the server says at the end: why it ended, how many tokens."""

    text: str = ""
    finish: str | None = None
    prompt_tokens: int | None = None
    completion_tokens: int | None = None


_Pieces = queue.SimpleQueue[Piece | BaseException | None]


def exchange(
    address: Address,
    messages: Sequence[Any],
    budget: Budget,
    most_tokens: int,
    done: Callable[[], None],
) -> Iterator[Piece]:
    """The pieces of a reply as they come; LanguageModelFailed when they do not.

    `done` is called when the worker is through, which may be after the asker has left.
    """
    line = _Line()
    pieces: _Pieces = queue.SimpleQueue()

    def talk() -> None:
        try:
            for piece in _talk(address, messages, budget, most_tokens, line):
                pieces.put(piece)
            pieces.put(None)
        except BaseException as error:  # whatever it is, the asker must hear of it
            pieces.put(error)
        finally:
            done()

    threading.Thread(target=talk, name="youju-llm", daemon=True).start()
    try:
        while (piece := _next(pieces, budget)) is not None:
            yield piece
    finally:
        line.cut()


def _next(pieces: _Pieces, budget: Budget) -> Piece | None:
    while True:
        budget.check()
        try:
            piece = pieces.get(timeout=max(0.001, min(_LOOK, budget.left())))
        except queue.Empty:
            continue
        if isinstance(piece, BaseException):
            raise failure_of(piece) from None  # the cause may hold a key
        return piece


def _talk(
    address: Address, messages: Sequence[Any], budget: Budget, most_tokens: int, line: "_Line"
) -> Iterator[Piece]:
    import httpx
    from llama_index.llms.openai_like import OpenAILike

    left = max(0.001, budget.left())
    hooks: dict[str, list[Callable[..., Any]]] = {
        "request": [line.watch],
        "response": [line.measure],
    }
    with httpx.Client(timeout=left, event_hooks=hooks) as client:
        model = OpenAILike(
            model=address.model,
            api_base=address.base_url,
            api_key=address.key() or "none",
            http_client=client,
            is_chat_model=True,
            temperature=0.0,
            max_tokens=most_tokens,
            max_retries=0,
            timeout=left,
            additional_kwargs={"stream_options": {"include_usage": True}},
        )
        for chunk in model.stream_chat(list(messages)):
            yield _piece(chunk.delta or "", chunk.raw)


def _piece(text: str, raw: Any) -> Piece:
    usage, choices = getattr(raw, "usage", None), getattr(raw, "choices", None)
    return Piece(
        text,
        choices[0].finish_reason if choices else None,
        getattr(usage, "prompt_tokens", None),
        getattr(usage, "completion_tokens", None),
    )


class _Line:
    """The sockets of one call, so that another thread can cut them."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []
        self._is_cut = False
        self._lock = threading.Lock()

    def watch(self, request: Any) -> None:
        """httpx calls it before a request: the connections it opens come to us."""
        request.extensions["trace"] = self._opened

    def measure(self, response: Any) -> None:
        """httpx calls it before a response is read: one that does not end is left."""
        from rag.llm_measure import measured

        response.stream = measured(response.stream)

    def cut(self) -> None:
        with self._lock:
            self._is_cut = True
            for connection in self._sockets:
                _shut(connection)

    def _opened(self, event: str, told: Any) -> None:
        if event != "connection.connect_tcp.complete":
            return
        connection = told["return_value"].get_extra_info("socket")
        with self._lock:
            self._sockets.append(connection)
            if self._is_cut:
                _shut(connection)


def _shut(connection: socket.socket) -> None:
    """Closing would not wake a thread that reads; shutting down does."""
    with suppress(OSError):
        socket.socket.shutdown(connection, socket.SHUT_RDWR)
