"""A member of the local Discord: acts as a person does, and waits for what the bot shows."""

from collections.abc import Callable
from typing import Any, TypeVar

from tests.discord_local.acts import (
    CHAT_INPUT,
    MESSAGE_MENU,
    STRING_SELECT,
    USER_MENU,
    check_visible,
    command_data,
    find_command,
    modal_data,
    select_data,
)
from tests.discord_local.gateway import Gateway
from tests.discord_local.interactions import DEFERRED_UPDATE, MODAL, UPDATE, Exchange, Interactions
from tests.discord_local.messages import Message, Messages
from tests.discord_local.seen import BUTTON, Button, Modal, Seen
from tests.discord_local.world import DM, Json, World

T = TypeVar("T")
COMMAND, COMPONENT, AUTOCOMPLETE, SUBMIT = 2, 3, 4, 5


class NoReply(AssertionError):
    """The bot did not show anything in time."""


class Member:
    """`locale` is the language of the person's Discord. Places are channel ids or messages."""

    def __init__(
        self, world: World, messages: Messages, interactions: Interactions, gateway: Gateway,
        user: Json, guild: Json, home: Json, locale: str,
    ) -> None:  # fmt: skip
        self._world, self._messages, self._interactions = world, messages, interactions
        self._gateway, self._pulse = gateway, world.pulse
        self.user, self.guild, self.home, self.locale = user, guild, home, locale
        self.timeout = 10.0

    @property
    def id(self) -> str:
        return str(self.user["id"])

    @property
    def mention(self) -> str:
        return f"<@{self.id}>"

    # commands

    async def slash(
        self, name: str, /, *, where: str | None = None, force: bool = False, **options: Any
    ) -> Seen:
        """`/name subcommand`, then wait for an answer that is more than "thinking".

        `force` shows a command that its default permissions hide, as an admin's override does.
        """
        exchange = self.begin_slash(name, where=where, force=force, **options)
        return await self.answer_to(exchange)

    def begin_slash(
        self, name: str, /, *, where: str | None = None, force: bool = False, **options: Any
    ) -> Exchange:
        """The same without waiting; `answer_to` waits."""
        first, *path = name.split()
        command = self._command(CHAT_INPUT, first, where, force)
        data = command_data(self._world, command, path, options)
        return self._interact(COMMAND, data, where)

    async def message_menu(self, name: str, target: Seen, force: bool = False) -> "Seen | Modal":
        """Apps > `name` on a message."""
        command = self._command(MESSAGE_MENU, name, target.channel_id, force)
        data = {"id": command["id"], "name": command["name"], "type": MESSAGE_MENU}
        data |= {"target_id": target.id, "resolved": {"messages": {target.id: target.payload}}}
        return await self._outcome(self._interact(COMMAND, data, target.channel_id))

    async def user_menu(self, name: str, target: "Member") -> "Seen | Modal":
        command = self._command(USER_MENU, name, None, False)
        data = {"id": command["id"], "name": command["name"], "type": USER_MENU}
        data |= {"target_id": target.id, "resolved": {"users": {target.id: target.user}}}
        return await self._outcome(self._interact(COMMAND, data, None))

    async def complete(self, name: str, /, *, focus: str, **options: Any) -> list[Json]:
        """The choices that the bot offers while this member types the option `focus`."""
        first, *path = name.split()
        command = self._command(CHAT_INPUT, first, None, False)
        required = {o["name"] for o in command.get("options") or () if o.get("required")}
        typed = dict.fromkeys(required, "") | options
        data = command_data(self._world, command, path, typed)
        for option in data["options"]:
            option["focused"] = option["name"] == focus
        exchange = self._interact(AUTOCOMPLETE, data, None)
        return await self._wait(lambda: exchange.choices, f"choices for {focus}")

    def _command(self, kind: int, name: str, where: str | None, force: bool) -> Json:
        channel = self._world.channel(where or self.home["id"])
        guild_id = channel.get("guild_id")
        command = find_command(self._world, guild_id, kind, name, self.locale)
        if not force:
            check_visible(command, self._world.permissions(self.id, channel), bool(guild_id))
        return command

    # components

    async def click(self, on: Seen, button: str, nth: int | None = None) -> Seen:
        """Click a button by its label, emoji or custom_id; `nth` (from 0) among equal ones.

        Gives what the click changed or brought: the message itself, or a new one.
        """
        outcome = await self.click_any(on, button, nth)
        assert isinstance(outcome, Seen), f"{button!r} opened a modal: {outcome}"
        return outcome

    async def click_modal(self, on: Seen, button: str, nth: int | None = None) -> Modal:
        """Click a button that opens a modal."""
        outcome = await self.click_any(on, button, nth)
        assert isinstance(outcome, Modal), f"{button!r} opened no modal but {outcome}"
        return outcome

    async def click_any(self, on: Seen, button: str, nth: int | None = None) -> Seen | Modal:
        return await self._outcome(self.begin_click(on, button, nth))

    def begin_click(self, on: Seen, button: str, nth: int | None = None) -> Exchange:
        """A click without waiting; `answer_to` waits."""
        found = self._button(on, button, nth)
        assert not found.disabled, f"the button {button!r} is disabled"
        assert found.custom_id, f"the button {button!r} is a link"
        data = {"custom_id": found.custom_id, "component_type": BUTTON}
        return self._interact(COMPONENT, data, on.channel_id, on.message)

    def _button(self, on: Seen, name: str, nth: int | None) -> Button:
        self._must_see(on)
        found = [b for b in on.buttons if name in (b.label, b.custom_id, b.emoji)]
        assert found, f"no button {name!r}, only {[str(b) for b in on.buttons]}"
        assert nth is not None or len(found) == 1, f"{len(found)} buttons {name!r}: say which (nth)"
        return found[nth or 0]

    async def choose(self, on: Seen, *values: str, custom_id: str | None = None) -> "Seen | Modal":
        """Choose in a select by value or by the label shown; of ids in the other selects."""
        self._must_see(on)
        selects = [s for s in on.selects if custom_id in (None, s["custom_id"])]
        assert len(selects) == 1, f"{len(selects)} selects: say which (custom_id)"
        select = selects[0]
        assert not select.get("disabled"), "the select is disabled"
        if select["type"] == STRING_SELECT:
            by_label = {option["label"]: option["value"] for option in select["options"]}
            values = tuple(by_label.get(value, value) for value in values)
            assert set(values) <= set(by_label.values()), f"{values} are not in {by_label}"
        data = select_data(self._world, select, values)
        return await self._outcome(self._interact(COMPONENT, data, on.channel_id, on.message))

    async def submit(self, modal: Modal, **fields: Any) -> Seen:
        """Fill in and send a modal: fields by custom_id."""
        source, where = modal.exchange.source, modal.exchange.payload["channel_id"]
        exchange = self._interact(SUBMIT, modal_data(modal.payload, fields), where, source)
        return await self.answer_to(exchange)

    def _must_see(self, on: Seen) -> None:
        assert not on.deleted, "the message is deleted"
        assert on.message.only_for in (None, self.id), "the message is shown to someone else only"

    # plain messages

    def say(self, text: str, where: str | None = None, replying: Seen | None = None) -> Seen:
        """Write a message, without waiting for anything."""
        channel = where or (replying.channel_id if replying else self.home["id"])
        reference = {"message_reference": {"message_id": replying.id}} if replying else {}
        message = self._messages.create(channel, self.id, {"content": text} | reference)
        return Seen(message, self._pulse)

    async def ask(self, text: str, where: str | None = None) -> Seen:
        """Mention the bot and wait for its message."""
        return await self.heard(self.say(f"<@{self._world.bot['id']}> {text}", where))

    async def reply(self, to: Seen, text: str) -> Seen:
        """Reply to a message and wait for the bot's."""
        return await self.heard(self.say(text, replying=to))

    async def write(self, where: str, text: str) -> Seen:
        """Write in a thread, channel or direct channel and wait for the bot's message."""
        return await self.heard(self.say(text, where))

    async def dm(self, text: str) -> Seen:
        return await self.write(self._world.dm(self.id)["id"], text)

    async def heard(self, said: Seen, within: float | None = None) -> Seen:
        """The bot's first message after `said`: a reply to it, or one that replies to nothing,
        there or in the thread that grew from it."""
        places = (said.channel_id, said.id)

        def look() -> Seen | None:
            for message in self._from_bot(after=said.id):
                seen = Seen(message, self._pulse)
                if message.channel_id in places and seen.replies_to in (None, said.id):
                    return seen
            return None

        return await self._wait(look, f"{said.text!r}", within)

    def sees(self, where: str | None = None) -> list[Seen]:
        """All messages of a channel that this member sees now, oldest first."""
        channel = where or self.home["id"]
        shown = [m for m in self._messages if m.channel_id == channel and not m.deleted]
        return [Seen(m, self._pulse) for m in shown if m.only_for in (None, self.id)]

    def _from_bot(self, after: str) -> list[Message]:
        bot = self._world.bot["id"]
        mine = [m for m in self._messages if m.payload["author"]["id"] == bot and not m.only_for]
        return [m for m in mine if int(m.id) > int(after) and not m.deleted]

    # waiting

    async def answer_to(self, exchange: Exchange, within: float | None = None) -> Seen:
        outcome = await self._outcome(exchange, within)
        assert isinstance(outcome, Seen), f"a modal instead of a message: {outcome}"
        return outcome

    async def _outcome(self, exchange: Exchange, within: float | None = None) -> Seen | Modal:
        def look() -> Seen | Modal | None:
            if exchange.kind == MODAL and exchange.modal:
                return Modal(exchange.modal, exchange)
            message = _shown(exchange)
            return Seen(message, self._pulse, exchange) if message else None

        return await self._wait(look, f"interaction {exchange.payload['data']}", within)

    async def _wait(self, look: Callable[[], T | None], act: str, within: float | None = None) -> T:
        try:
            return await self._pulse.until(look, within or self.timeout)
        except TimeoutError:
            raise NoReply(f"the bot showed nothing for {act[:300]}") from None

    # the payload

    def _interact(
        self, kind: int, data: Json, where: str | None, source: Message | None = None
    ) -> Exchange:
        channel = self._world.channel(where or self.home["id"])
        payload = {
            "type": kind, "data": data, "application_id": self._world.application_id,
            "channel_id": channel["id"], "channel": channel, "locale": self.locale,
            "entitlements": [], "authorizing_integration_owners": {},
            "attachment_size_limit": 10_485_760, "context": 1 if channel["type"] == DM else 0,
            "app_permissions": str(self._world.permissions(self._world.bot["id"], channel)),
        } | self._who(channel)  # fmt: skip
        if source:
            payload["message"] = source.payload
        exchange = self._interactions.open(payload, self.id, source)
        self._gateway.interact(payload, channel.get("guild_id"))
        return exchange

    def _who(self, channel: Json) -> Json:
        if channel["type"] == DM:
            return {"user": self.user}
        guild = self._world.guilds[channel["guild_id"]]
        permissions = self._world.permissions(self.id, channel)
        return {
            "guild_id": guild["id"], "guild_locale": guild["preferred_locale"],
            "guild": {"id": guild["id"], "locale": guild["preferred_locale"], "features": []},
            "member": self._world.member(guild["id"], self.id) | {"permissions": str(permissions)},
        }  # fmt: skip


def _shown(exchange: Exchange) -> Message | None:
    """What the exchange brought to the screen so far, if it is more than "thinking"."""
    if exchange.kind is None or not exchange.answered:
        return None
    if exchange.kind in (UPDATE, DEFERRED_UPDATE) and exchange.source:
        changed = len(exchange.source.history) > exchange.edits_before
        return exchange.source if changed else next(iter(exchange.followups), None)
    return exchange.original
