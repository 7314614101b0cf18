"""Interactions from the act of a member to the last follow-up, with their deadlines."""

import time
from dataclasses import dataclass, field

from tests.discord_local.errors import ApiError
from tests.discord_local.messages import EPHEMERAL, LOADING, Message, Messages
from tests.discord_local.world import Json, World

TO_ANSWER, TO_FOLLOW_UP = 3.0, 15 * 60.0  # seconds

MESSAGE, DEFERRED, DEFERRED_UPDATE, UPDATE, CHOICES, MODAL = 4, 5, 6, 7, 8, 9


@dataclass
class Exchange:
    """`kind` is the type of the bot's first answer, None until it came.

    `asked`, `acknowledged` and `answered` are seconds of the monotonic clock: the act, the
    first answer, and the first message or edit that shows more than "thinking".
    """

    id: str
    token: str
    payload: Json
    asker: str
    source: Message | None
    born: float
    edits_before: int = 0
    asked: float = field(default_factory=time.monotonic)
    kind: int | None = None
    acknowledged: float | None = None
    answered: float | None = None
    original: Message | None = None
    followups: list[Message] = field(default_factory=list)
    modal: Json | None = None
    choices: list[Json] | None = None

    def done(self) -> None:
        self.answered = self.answered or time.monotonic()


class Interactions:
    def __init__(self, world: World, messages: Messages) -> None:
        self._world, self._messages = world, messages
        self.all: dict[str, Exchange] = {}

    def open(self, payload: Json, asker: str, source: Message | None) -> Exchange:
        """A new interaction; completes the payload that goes to the bot."""
        world = self._world
        token = f"aW50ZXJhY3Rpb24-{world.clock.snowflake()}"
        payload |= {"id": world.clock.snowflake(), "token": token, "version": 1}
        exchange = Exchange(payload["id"], token, payload, asker, source, world.clock.now())
        exchange.edits_before = len(source.history) if source else 0
        self.all[token] = exchange
        return exchange

    # the bot's first answer

    def answer(self, interaction_id: str, token: str, body: Json) -> Json:
        exchange = self.all.get(token)
        if exchange is None or exchange.id != interaction_id:
            raise ApiError(10062)
        if exchange.kind is not None:
            raise ApiError(40060)
        if self._world.clock.now() - exchange.born > TO_ANSWER:
            raise ApiError(10062)
        self._take(exchange, body["type"], body.get("data") or {})
        exchange.kind, exchange.acknowledged = body["type"], time.monotonic()
        if exchange.kind not in (DEFERRED, DEFERRED_UPDATE):
            exchange.done()
        self._world.pulse.beat()
        return self._told(exchange)

    def _take(self, exchange: Exchange, kind: int, data: Json) -> None:
        if kind == MESSAGE:
            exchange.original = self._create(exchange, data, 0)
        elif kind == DEFERRED:
            exchange.original = self._create(exchange, {"flags": data.get("flags") or 0}, LOADING)
        elif kind in (DEFERRED_UPDATE, UPDATE):
            exchange.original = self._source(exchange)
            if kind == UPDATE:
                self._messages.edit(exchange.original, data)
        elif kind == CHOICES:
            exchange.choices = data["choices"]
        elif kind == MODAL:
            exchange.modal = data

    def _source(self, exchange: Exchange) -> Message:
        if exchange.source is None:
            raise ApiError(50035, ["this interaction has no message to update"])
        if exchange.source.deleted:
            raise ApiError(10008)
        return exchange.source

    def _create(self, exchange: Exchange, body: Json, flags: int) -> Message:
        only_for = exchange.asker if (body.get("flags") or 0) & EPHEMERAL else None
        return self._messages.create(
            exchange.payload["channel_id"],
            self._world.bot["id"],
            body,
            kind=20 if exchange.source is None else 0,
            flags=flags,
            only_for=only_for,
            extra={
                "application_id": self._world.application_id,
                "webhook_id": self._world.application_id,
                "interaction_metadata": self._metadata(exchange),
            },
        )

    def _metadata(self, exchange: Exchange) -> Json:
        return {
            "id": exchange.id, "type": exchange.payload["type"],
            "user": self._world.users[exchange.asker], "authorizing_integration_owners": {},
        }  # fmt: skip

    def _told(self, exchange: Exchange) -> Json:
        message = exchange.original
        interaction = {"id": exchange.id, "type": exchange.payload["type"]}
        if message is None:
            return {"interaction": interaction}
        interaction |= {
            "response_message_id": message.id,
            "response_message_loading": message.loading,
            "response_message_ephemeral": message.only_for is not None,
        }
        resource = {"type": exchange.kind, "message": message.payload}
        return {"interaction": interaction, "resource": resource}

    # the webhook of an interaction, 15 minutes long

    def alive(self, token: str) -> Exchange:
        exchange = self.all.get(token)
        if exchange is None or exchange.kind is None:
            raise ApiError(10015)
        if self._world.clock.now() - exchange.born > TO_FOLLOW_UP:
            raise ApiError(50027)
        return exchange

    def follow_up(self, token: str, body: Json) -> Message:
        """The first follow-up takes the place of "thinking"."""
        exchange = self.alive(token)
        original = exchange.original
        if original and original.loading and not original.deleted:
            message = self._messages.edit(original, body)
        else:
            message = self._create(exchange, body, 0)
        exchange.followups.append(message)
        exchange.done()
        self._world.pulse.beat()
        return message

    def find(self, token: str, message_id: str) -> Message:
        exchange = self.alive(token)
        if message_id == "@original":
            message = exchange.original
        else:
            mine = [m for m in (exchange.original, *exchange.followups) if m]
            message = next((m for m in mine if m.id == message_id), None)
        if message is None or message.deleted:
            raise ApiError(10008)
        return self._messages.get(message.channel_id, message.id)

    def edit(self, token: str, message_id: str, body: Json) -> Message:
        message = self._messages.edit(self.find(token, message_id), body)
        self.all[token].done()
        self._world.pulse.beat()
        return message
