"""A small OpenAI-compatible server over loopback whose models follow a script.

A model is a function from a `Call` to a `Turn`: words to stream, or a fault. `python -m
tests.llm_server honest` serves one until Ctrl-C, to try the command line against.
"""

import contextlib
import json
import re
import socket
import struct
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

KEY = "sk-loopback-8f3a1c5e7d"
_PASSAGE = re.compile(r"<<<段落 \[(\d+)\] (\w+)\n(.*?)\n(.*?)\n\2>>>", re.DOTALL)
_QUESTION = re.compile(r"<<<(?:問題|问题|最後的問題|最后的问题) (\w+)\n(.*?)\n\1>>>", re.DOTALL)
_HISTORY = re.compile(r"<<<(?:先前的問題|先前的问题) (\w+)\n(.*?)\n\1>>>", re.DOTALL)


@dataclass(frozen=True)
class Call:
    """What a model was asked, taken apart."""

    body: dict[str, Any]
    headers: dict[str, str]

    @property
    def system(self) -> str:
        return "\n".join(m["content"] for m in self.body["messages"] if m["role"] == "system")

    @property
    def user(self) -> str:
        return "\n".join(m["content"] for m in self.body["messages"] if m["role"] == "user")

    @property
    def passages(self) -> list[str]:
        """The texts of the passages, [1] first; without their titles."""
        return [match.group(4) for match in _PASSAGE.finditer(self.user)]

    @property
    def question(self) -> str:
        match = _QUESTION.search(self.user)
        return match.group(2) if match else ""

    @property
    def history(self) -> list[str]:
        match = _HISTORY.search(self.user)
        return match.group(2).split("\n") if match else []

    @property
    def purpose(self) -> str:
        if self.passages:
            return "answer"
        if self.history:
            return "condense"
        return "rewrite" if self.question else "questions"


@dataclass(frozen=True)
class Turn:
    """What a server does with one call.

    `pieces` are streamed `delay` seconds apart; then `finish`, `usage` and [DONE], unless it
    `drops` the connection, `hangs`, or sends `raw` bytes instead of events.
    """

    pieces: Sequence[str] = ()
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    message: str = ""
    finish: str | None = "stop"
    usage: bool = True
    delay: float = 0.0
    drops: bool = False
    hangs: float = 0.0
    hangs_first: float = 0.0
    raw: bytes | None = None
    endless: bytes = b""


def says(text: str, **how: Any) -> Turn:
    """A reply in pieces of a few characters, as models stream."""
    return Turn([text[at : at + 3] for at in range(0, len(text), 3)], **how)


Model = Callable[[Call], Turn]


class LlmServer:
    """Serves one model on a free port; `calls` are those it got, `open` the connections now."""

    def __init__(self, model: Model, key: str = KEY, models: Sequence[str] = ("scripted",)) -> None:
        self.model, self.key, self.models = model, key, list(models)
        self.calls: list[Call] = []
        self.most_at_once = self._at_once = 0
        self._lock = threading.Lock()
        self.leaving = threading.Event()
        self._http = _Http(("127.0.0.1", 0), _handler(self))
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_port}/v1"

    def settings(self) -> dict[str, str]:
        """The environment of a program that shall use this server."""
        return {
            "YOUJU_LLM_BASE_URL": self.url,
            "YOUJU_LLM_MODEL": "scripted",
            "YOUJU_LLM_API_KEY": self.key,
        }

    def __enter__(self) -> "LlmServer":
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.leaving.set()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    @contextlib.contextmanager
    def counted(self, call: Call) -> Iterator[None]:
        with self._lock:
            self.calls.append(call)
            self._at_once += 1
            self.most_at_once = max(self.most_at_once, self._at_once)
        try:
            yield
        finally:
            with self._lock:
                self._at_once -= 1


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that leaves is no error here."""


def _handler(server: LlmServer) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, format: str, *args: Any) -> None:
            pass

        def do_GET(self) -> None:
            if self.path.endswith("/models"):
                models = [{"id": name, "object": "model"} for name in server.models]
                self._json(200, {"object": "list", "data": models})
            else:
                self._json(404, {"error": {"message": "no such page"}})

        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            call = Call(body, {k.lower(): v for k, v in self.headers.items()})
            if server.key and call.headers.get("authorization") != f"Bearer {server.key}":
                given = call.headers.get("authorization", "")
                self._json(401, {"error": {"message": f"Incorrect API key provided: {given}"}})
                return
            with server.counted(call):
                self._take(call, server.model(call))

        def _take(self, call: Call, turn: Turn) -> None:
            server.leaving.wait(turn.hangs_first)
            if turn.status != 200:
                told = {"error": {"message": f"{turn.message} {call.headers.get('authorization')}"}}
                self._json(turn.status, told, turn.headers)
                return
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            if turn.raw is not None:
                self.wfile.write(turn.raw)
            while turn.endless and not server.leaving.is_set():
                self.wfile.write(turn.endless)
                server.leaving.wait(turn.delay)
            for piece in turn.pieces:
                self._event({"choices": [{"index": 0, "delta": {"content": piece}}]})
                if turn.delay:
                    server.leaving.wait(turn.delay)
            server.leaving.wait(turn.hangs)
            if turn.drops:
                reset = struct.pack("ii", 1, 0)
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
                self.connection.close()
                return
            self._end(call, turn)
            self.close_connection = True

        def _end(self, call: Call, turn: Turn) -> None:
            if turn.finish is not None:
                self._event({"choices": [{"index": 0, "delta": {}, "finish_reason": turn.finish}]})
            if turn.usage and call.body.get("stream_options", {}).get("include_usage"):
                written = sum(map(len, turn.pieces))
                asked = len(call.system) + len(call.user)
                counts = {"prompt_tokens": asked, "completion_tokens": written}
                self._event({"choices": [], "usage": counts | {"total_tokens": asked + written}})
            if turn.finish is not None:
                self.wfile.write(b"data: [DONE]\n\n")

        def _event(self, event: dict[str, Any]) -> None:
            told = {
                "id": "1",
                "object": "chat.completion.chunk",
                "created": 1,
                "model": "m",
            } | event
            self.wfile.write(f"data: {json.dumps(told)}\n\n".encode())
            self.wfile.flush()

        def _json(
            self, status: int, told: dict[str, Any], headers: dict[str, str] | None = None
        ) -> None:
            data = json.dumps(told).encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

    return Handler


def main() -> None:
    """Serve a model of tests/llm_models.py by name and print what to set."""
    from tests import llm_models

    name = sys.argv[1] if len(sys.argv) > 1 else "honest"
    with LlmServer(getattr(llm_models, name)) as server:
        for variable, value in server.settings().items():
            print(f"export {variable}={value}", flush=True)
        with contextlib.suppress(KeyboardInterrupt):
            while True:
                time.sleep(1)


if __name__ == "__main__":
    main()
