"""Logs of the bot: JSON lines when nobody watches, each with the id of its question.

Whatever is logged, by us or by a library, goes through `Redaction`: no token and no key leaves it,
and ids of Discord (people, places, messages) leave it as the hashes under which people are stored.
Nobody's words are logged.
"""

import logging
import re
import secrets
import sys
from collections.abc import Awaitable, Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from functools import wraps
from typing import Any, ParamSpec, TextIO, TypeVar

import structlog
from pydantic import SecretStr
from pydantic_settings import BaseSettings

P = ParamSpec("P")
T = TypeVar("T")
_QUIET = ("discord.gateway", "discord.client", "httpx", "chromadb", "aiohttp.access")
_HIDDEN = "…"
_LEAST_SECRET = 6  # characters; a shorter one would be found in ordinary words
_ID = re.compile(r"(?<!\d)\d{15,20}(?!\d)")
# The token of an interaction stands in the address that answers it.
_ADDRESS_TOKEN = re.compile(r"((?:webhooks|interactions)/[^/\s]+/)[^/\s\"'?)]+")


class Redaction:
    """A structlog processor. `person` gives the hash of a Discord id."""

    def __init__(self, hidden: Collection[str], person: Callable[[int], str]) -> None:
        known = sorted((s for s in hidden if len(s) >= _LEAST_SECRET), key=len, reverse=True)
        self._hidden = re.compile("|".join(map(re.escape, known))) if known else None
        self._person = person

    def __call__(self, _logger: Any, _method: str, event: Mapping[str, Any]) -> dict[str, Any]:
        return {self.text(name): self._clean(value) for name, value in event.items()}

    def text(self, text: str) -> str:
        """A text without secrets and ids."""
        if self._hidden is not None:
            text = self._hidden.sub(_HIDDEN, text)
        text = _ADDRESS_TOKEN.sub(rf"\1{_HIDDEN}", text)
        return _ID.sub(lambda found: self._hashed(int(found[0])), text)

    def _clean(self, value: Any) -> Any:
        if value is None or isinstance(value, bool | float):
            return value
        if isinstance(value, int):
            return self._hashed(value) if _ID.fullmatch(str(value)) else value
        if isinstance(value, Mapping):
            return {self.text(str(k)): self._clean(v) for k, v in value.items()}
        if isinstance(value, list | tuple | set | frozenset):
            return [self._clean(item) for item in value]
        return self.text(value if isinstance(value, str) else repr(value))

    def _hashed(self, ident: int) -> str:
        return f"id:{self._person(ident)[:12]}"


def start_logging(
    hidden: Collection[str], person: Callable[[int], str], stream: TextIO | None = None
) -> None:
    """Log everything from INFO on, for people in a terminal and as JSON elsewhere."""
    stream = stream or sys.stderr
    handler = logging.StreamHandler(stream)
    handler.setFormatter(_formatter(Redaction(hidden, person), for_people=stream.isatty()))
    logging.basicConfig(level=logging.INFO, handlers=[handler], force=True)
    for noisy in _QUIET:
        logging.getLogger(noisy).setLevel(logging.WARNING)


def secrets_in(*settings: BaseSettings) -> list[str]:
    """The values of every secret setting, which no log may show."""
    values = (getattr(each, name) for each in settings for name in type(each).model_fields)
    return [value.get_secret_value() for value in values if isinstance(value, SecretStr)]


@contextmanager
def a_question(**facts: Any) -> Iterator[str]:
    """Give what is logged in this block, and in the threads that it uses, a question's id."""
    ident = secrets.token_hex(4)
    with structlog.contextvars.bound_contextvars(question=ident, **facts):
        yield ident


def logged_as_question(
    by: str,
) -> Callable[[Callable[P, Awaitable[T]]], Callable[P, Awaitable[T]]]:
    """What a coroutine function does, and whom it asks, is logged as one question."""

    def decorate(function: Callable[P, Awaitable[T]]) -> Callable[P, Awaitable[T]]:
        @wraps(function)
        async def logged(*args: P.args, **kwargs: P.kwargs) -> T:
            with a_question(by=by):
                return await function(*args, **kwargs)

        return logged

    return decorate


def _formatter(redaction: Redaction, *, for_people: bool) -> logging.Formatter:
    renderer: Any = structlog.processors.JSONRenderer(ensure_ascii=False)
    if for_people:
        renderer = structlog.dev.ConsoleRenderer()
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=[
            structlog.contextvars.merge_contextvars,
            structlog.stdlib.add_log_level,
            structlog.stdlib.add_logger_name,
            structlog.stdlib.ExtraAdder(),
            structlog.processors.TimeStamper(fmt="iso", utc=True),
        ],
        processors=[
            structlog.stdlib.ProcessorFormatter.remove_processors_meta,
            structlog.processors.format_exc_info,
            redaction,
            renderer,
        ],
    )
