"""Whether the bot lives, whether it is ready, and its metrics: three pages on loopback.

/healthz  200 while the event loop answers
/readyz   200 when Discord is connected and there is an index to answer from, else 503 and why
/metrics  Prometheus' text format
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import TYPE_CHECKING, Any

from aiohttp import web

from bot.desk import Desk
from bot.errors import MetricsPortTaken
from rag.errors import YoujuError
from rag.result import GenerationStatus

if TYPE_CHECKING:
    import discord

_TYPE = {"Content-Type": "text/plain; version=0.0.4; charset=utf-8"}


@asynccontextmanager
async def serving_health(client: "discord.Client", desk: Desk) -> AsyncIterator[int | None]:
    """Serve the pages while the block runs, when a port is set; gives the port."""
    settings = desk.settings
    if settings.metrics_port is None:
        yield None
        return
    runner = web.AppRunner(_pages(client, desk), access_log=None, shutdown_timeout=1.0)
    lag = asyncio.create_task(desk.metrics.watch_lag())
    try:
        await runner.setup()
        try:
            await web.TCPSite(runner, settings.metrics_host, settings.metrics_port).start()
        except OSError as error:
            raise MetricsPortTaken(settings.metrics_port, error.strerror or str(error)) from error
        yield runner.addresses[0][1]
    finally:
        lag.cancel()
        with suppress(asyncio.CancelledError):
            await lag
        await runner.cleanup()


def _pages(client: "discord.Client", desk: Desk) -> web.Application:
    async def healthz(_: web.Request) -> web.Response:
        return web.json_response({"status": "ok"})

    async def readyz(_: web.Request) -> web.Response:
        status = await _status(desk)
        missing = [
            *(["not connected to Discord"] if not client.is_ready() or client.is_closed() else []),
            *(["no index"] if status is None or status.generation is None else []),
        ]
        told: dict[str, Any] = {"status": "unready" if missing else "ready", "missing": missing}
        return web.json_response(told, status=503 if missing else 200)

    async def metrics(_: web.Request) -> web.Response:
        line = desk.line
        desk.metrics.look(len(line), line.working, client.latency, await _status(desk))
        return web.Response(body=desk.metrics.page(), headers=_TYPE)

    app = web.Application()
    app.router.add_get("/healthz", healthz)
    app.router.add_get("/readyz", readyz)
    app.router.add_get("/metrics", metrics)
    return app


async def _status(desk: Desk) -> GenerationStatus | None:
    try:
        return await desk.read(desk.service.status)
    except YoujuError:
        return None
