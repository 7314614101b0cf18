"""A real `chroma run` on loopback, and a gate before it that checks tokens and fails.

The server writes below a folder of its own; it can be killed and started again on the same port.
"""

import asyncio
import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp
from aiohttp import web

TOKEN = "chroma-loopback-51c7"
_CHROMA = "import sys; from chromadb.cli.cli import app; sys.argv[0] = 'chroma'; app()"
_PATIENCE = 60.0  # seconds, for a busy machine


class ChromaServer:
    """One server and its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.port = folder, free_port()
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start, and wait until it answers."""
        place = ("--path", str(self.folder), "--host", "127.0.0.1", "--port", str(self.port))
        self._process = subprocess.Popen(
            [sys.executable, "-c", _CHROMA, "run", *place],
            # It writes several lines a request; a pipe that nobody empties would stop it.
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
        until = time.monotonic() + _PATIENCE
        while not self._answers():
            assert time.monotonic() < until, "chroma run does not answer"
            time.sleep(0.05)

    def kill(self) -> None:
        """End it as a power failure would."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()

    def _answers(self) -> bool:
        asked = f"{self.url}/api/v2/heartbeat"
        with contextlib.suppress(OSError), urllib.request.urlopen(asked, timeout=5) as answer:
            return bool(answer.status == 200)
        return False


@dataclass
class Gate:
    """What stands before a server: it wants a token in a header, and does as it is told.

    `fault`: None, "slow", "cut", "401", "500", "version" or "html".
    """

    url: str = ""
    fault: str | None = None
    header: str = "Authorization"
    wanted: str = f"Bearer {TOKEN}"
    delay: float = 30.0
    requests: int = 0


@contextmanager
def gate_before(server: ChromaServer) -> Iterator[Gate]:
    """Run a gate in a thread while the block runs."""
    gate, loop = Gate(), asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever, daemon=True)
    thread.start()

    def do(coroutine: Coroutine[Any, Any, None]) -> None:
        asyncio.run_coroutine_threadsafe(coroutine, loop).result(_PATIENCE)

    opened = _Opened(gate, server)
    try:
        do(opened.open())
        yield gate
    finally:
        do(opened.close())
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()


class _Opened:
    def __init__(self, gate: Gate, server: ChromaServer) -> None:
        self._gate, self._server = gate, server

    async def open(self) -> None:
        app = web.Application(client_max_size=1 << 28)
        app.router.add_route("*", "/{path:.*}", self._pass)
        self._session = aiohttp.ClientSession()
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._gate.url = f"http://127.0.0.1:{port}"

    async def close(self) -> None:
        await self._runner.cleanup()
        await self._session.close()

    async def _pass(self, request: web.Request) -> web.StreamResponse:
        gate = self._gate
        gate.requests += 1
        if request.headers.get(gate.header) != gate.wanted or gate.fault == "401":
            return web.json_response({"detail": "no"}, status=401)
        if gate.fault == "500":
            return web.Response(status=500, text="a stack trace")
        if gate.fault == "html":
            return web.Response(text="<html>Welcome</html>", content_type="text/html")
        if gate.fault == "cut":
            assert request.transport is not None
            request.transport.abort()
        if gate.fault == "slow":
            await asyncio.sleep(gate.delay)
        if gate.fault == "version" and request.path.endswith("/version"):
            return web.json_response("0.5.23")
        return await self._forwarded(request)

    async def _forwarded(self, request: web.Request) -> web.Response:
        named = {"Content-Type": request.headers.get("Content-Type", "application/json")}
        body = await request.read()
        url = f"{self._server.url}{request.path_qs}"
        try:
            async with self._session.request(
                request.method, url, data=body, headers=named
            ) as answer:
                content = await answer.read()
                return web.Response(
                    body=content, status=answer.status, content_type=answer.content_type
                )
        except aiohttp.ClientError:
            return web.Response(status=502, text="nobody behind")


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
