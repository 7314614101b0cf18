"""What a member sees: messages and modals, always in their present state."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.discord_local.clock import Pulse
from tests.discord_local.interactions import Exchange
from tests.discord_local.messages import Message
from tests.discord_local.pings import Pings, walk
from tests.discord_local.world import Json

ROW, BUTTON, TEXT_INPUT, TEXT_DISPLAY, LABEL = 1, 2, 4, 10, 18
SELECTS = (3, 5, 6, 7, 8)


@dataclass(frozen=True)
class Button:
    label: str
    custom_id: str | None
    url: str | None
    disabled: bool
    emoji: str | None = None

    def __str__(self) -> str:
        return self.label or self.emoji or "?"


class Seen:
    """A message as its reader sees it now; `exchange` is set when an interaction led to it."""

    def __init__(self, message: Message, pulse: Pulse, exchange: Exchange | None = None) -> None:
        self.message, self.exchange, self._pulse = message, exchange, pulse

    def __repr__(self) -> str:
        return f"<Seen {self.text[:60]!r} {[str(b) for b in self.buttons]}>"

    @property
    def payload(self) -> Json:
        return self.message.payload

    @property
    def id(self) -> str:
        return self.message.id

    @property
    def channel_id(self) -> str:
        return self.message.channel_id

    @property
    def text(self) -> str:
        """All text that is shown: content, embeds, text displays, in order."""
        return "\n".join(_shown(self.payload))

    @property
    def buttons(self) -> list[Button]:
        return [_button(c) for c in walk(self.payload["components"]) if c["type"] == BUTTON]

    @property
    def selects(self) -> list[Json]:
        return [c for c in walk(self.payload["components"]) if c["type"] in SELECTS]

    @property
    def ephemeral(self) -> bool:
        return self.message.only_for is not None

    @property
    def deleted(self) -> bool:
        return self.message.deleted

    @property
    def thinking(self) -> bool:
        return self.message.loading

    @property
    def pings(self) -> Pings:
        """Whom this message could have pinged, in any of its states."""
        return self.message.pings

    @property
    def edits(self) -> int:
        return len(self.message.history)

    @property
    def replies_to(self) -> str | None:
        reference = self.payload.get("message_reference")
        return str(reference["message_id"]) if reference else None

    @property
    def seconds_to_acknowledge(self) -> float:
        assert self.exchange
        assert self.exchange.acknowledged
        return self.exchange.acknowledged - self.exchange.asked

    @property
    def seconds_to_answer(self) -> float:
        assert self.exchange
        assert self.exchange.answered
        return self.exchange.answered - self.exchange.asked

    async def until(self, words: str, within: float = 5.0) -> "Seen":
        """Wait until the message shows these words (it may be edited on the way)."""
        try:
            await self._pulse.until(lambda: words in self.text or None, within)
        except TimeoutError:
            raise AssertionError(f"never showed {words!r}, but: {self.text}") from None
        return self

    async def until_edited(self, within: float = 5.0) -> "Seen":
        """Wait for the next edit."""
        before = self.edits
        await self._pulse.until(lambda: self.edits > before or None, within)
        return self

    async def until_deleted(self, within: float = 5.0) -> None:
        await self._pulse.until(lambda: self.deleted or None, within)


@dataclass(frozen=True)
class Modal:
    """A form that the bot opened; `Member.submit` fills it in."""

    payload: Json
    exchange: Exchange

    @property
    def title(self) -> str:
        return str(self.payload["title"])

    @property
    def text(self) -> str:
        return "\n".join(_shown(self.payload))

    @property
    def fields(self) -> dict[str, Json]:
        """The inputs by custom_id."""
        return {c["custom_id"]: c for c in walk(self.payload["components"]) if "custom_id" in c}


def _button(component: Json) -> Button:
    emoji = (component.get("emoji") or {}).get("name")
    return Button(
        component.get("label") or "", component.get("custom_id"), component.get("url"),
        bool(component.get("disabled")), emoji,
    )  # fmt: skip


def _shown(payload: Json) -> Iterator[str]:
    if payload.get("content"):
        yield payload["content"]
    for embed in payload.get("embeds") or ():
        yield from (embed[k] for k in ("title", "description") if embed.get(k))
        for field in embed.get("fields") or ():
            yield f"{field['name']}\n{field['value']}"
        if embed.get("footer"):
            yield embed["footer"]["text"]
    for component in walk(payload.get("components")):
        if component["type"] == TEXT_DISPLAY:
            yield component["content"]
        if component["type"] == LABEL:
            yield component["label"]
