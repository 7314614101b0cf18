"""The REST side: every request is recorded, checked, limited, perhaps spoilt, then served."""

import json
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from aiohttp import BodyPartReader, web

from tests.discord_local.buckets import Buckets
from tests.discord_local.clock import Pulse
from tests.discord_local.errors import ApiError
from tests.discord_local.faults import Answer, Faults, rate_limited, suffer
from tests.discord_openapi import problems

PREFIX = "/api/v10"
WITHOUT_TOKEN = re.compile(r"/interactions/.*|/webhooks/\d+/.+|/gateway")


@dataclass
class Request:
    """One request of the bot. `answer` is the body, `problems` what is wrong with its form."""

    method: str
    path: str
    query: dict[str, str]
    body: Any
    files: list[tuple[str, bytes]] = field(default_factory=list)
    authorization: str = ""
    at: float = field(default_factory=time.monotonic)
    status: int = 0
    answer: Any = None
    problems: list[str] = field(default_factory=list)
    v2_before: bool = False

    def __str__(self) -> str:
        return f"{self.method} {self.path} -> {self.status}"


Handler = Callable[..., Answer]


class Rest:
    """`routes` are (method, pattern, handler); groups of the pattern are arguments."""

    def __init__(self, token: str, faults: Faults, buckets: Buckets, pulse: Pulse) -> None:
        self._token, self._faults, self._buckets = token, faults, buckets
        self._pulse = pulse
        self.routes: list[tuple[str, re.Pattern[str], Handler]] = []
        self.requests: list[Request] = []
        self.is_v2: Callable[[str], bool] = lambda _: False
        self.checks_later = False

    def add(self, method: str, path: str, handler: Handler) -> None:
        pattern = re.sub(r"\{\w+\}", "([^/]+)", path)
        self.routes.append((method, re.compile(pattern), handler))

    async def serve(self, http: web.Request) -> web.Response:
        request = await _read(http)
        self.requests.append(request)
        headers, wait = self._buckets.headers(request.method, request.path)
        fault = rate_limited(wait) if wait else self._faults.take(request.method, request.path)
        try:
            request.status, request.answer = await suffer(fault, lambda: self._work(request))
        except ApiError as error:
            request.status, request.answer = error.status, error.body()
            request.problems += error.problems
        self._pulse.beat()
        return _response(http, request, headers)

    async def _work(self, request: Request) -> Answer:
        if not WITHOUT_TOKEN.fullmatch(request.path) and not self._known(request):
            raise ApiError(0)
        request.v2_before = self.is_v2(request.path)
        if not self.checks_later and (found := _form_problems(request)):
            raise ApiError(50035, found)
        for method, pattern, handler in self.routes:
            match = pattern.fullmatch(request.path)
            if match and method == request.method:
                return handler(request, *match.groups())
        raise ApiError(50035, ["the local Discord does not serve this route"])

    def check_now(self) -> None:
        """Check the forms of the requests that were let through unchecked."""
        for request in self.requests if self.checks_later else ():
            request.problems = request.problems or _form_problems(request)

    def _known(self, request: Request) -> bool:
        return request.authorization == f"Bot {self._token}"


def _form_problems(request: Request) -> list[str]:
    method, path, query, body = request.method, request.path, request.query, request.body
    return problems(method, path, query, body, v2_before=request.v2_before)


async def _read(http: web.Request) -> Request:
    request = Request(
        http.method, http.path.removeprefix(PREFIX), dict(http.query), None,
        authorization=http.headers.get("Authorization", ""),
    )  # fmt: skip
    if http.content_type == "multipart/form-data":
        async for part in await http.multipart():
            assert isinstance(part, BodyPartReader)
            content = bytes(await part.read())
            if part.name == "payload_json":
                request.body = json.loads(content)
            else:
                request.files.append((part.filename or "", content))
    elif http.can_read_body:
        request.body = json.loads(await http.read())
    return request


def _response(http: web.Request, request: Request, headers: dict[str, str]) -> web.Response:
    if request.status == 0:
        assert http.transport
        http.transport.abort()
        return web.Response(status=500)
    if request.status == 429:
        wait = request.answer["retry_after"]
        # discord.py takes a 429 without Via for a ban, and waits as the body says.
        headers |= {"Via": "1.1 local", "Retry-After": str(wait), "X-RateLimit-Remaining": "0"}
        headers["X-RateLimit-Scope"] = "global" if request.answer["global"] else "user"
    if request.status == 204:
        return web.Response(status=204, headers=headers)
    if isinstance(request.answer, str):
        return web.Response(status=request.status, text=request.answer, headers=headers)
    # The header must be exactly this, without a charset: discord.py compares it.
    headers["Content-Type"] = "application/json"
    return web.Response(status=request.status, body=json.dumps(request.answer), headers=headers)
