"""Where an answer goes: into an interaction, or under a message. Both may be edited on the way."""

import asyncio
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from typing import Any, Protocol, TypeVar

import aiohttp
import discord
from discord import ui

_log = logging.getLogger(__name__)
T = TypeVar("T")

Posted = list[tuple[int, int]]
_Editable = discord.Message | discord.PartialMessage
_WITH_MESSAGES = (
    discord.TextChannel, discord.Thread, discord.VoiceChannel, discord.StageChannel,
    discord.DMChannel, discord.PartialMessageable,
)  # fmt: skip
_EXPIRED = frozenset({10015, 10062, 50027})  # unknown webhook, unknown interaction, invalid token
_TAKEN = 40060  # another program answered this interaction
_TRIES = 3


class Lost(Exception):
    """There is no place any more to put the answer; nothing is left to do."""


class Reply(Protocol):
    """A place for one answer. `note` may be called many times before `show`."""

    private: bool

    async def note(self, view: ui.LayoutView) -> None: ...

    async def show(self, views: Sequence[ui.LayoutView]) -> Posted: ...


class InteractionReply:
    """The answer to an interaction; into the channel when the interaction has expired.

    With `drafts`, what was noted is a draft of the answer, which then takes its place there too.
    """

    def __init__(
        self, interaction: "discord.Interaction[Any]", private: bool, drafts: bool = False
    ) -> None:
        self._interaction, self.private, self._drafts = interaction, private, drafts
        self._instead: ChannelReply | None = None
        self._noted: int | None = None  # the draft that the answer must not stand beside

    async def start(self) -> None:
        """Show that the bot is thinking. Discord gives three seconds for it."""
        try:
            await self._interaction.response.defer(thinking=True, ephemeral=self.private)
        except discord.HTTPException as error:
            self._give_up_interaction(error)

    async def note(self, view: ui.LayoutView) -> None:
        if self._instead:
            await self._instead.note(view)
            return
        try:
            noted = await persistently(lambda: self._interaction.edit_original_response(view=view))
            self._noted = noted.id if self._drafts else None
        except discord.HTTPException as error:
            self._give_up_interaction(error)
            await self.note(view)

    async def show(self, views: Sequence[ui.LayoutView]) -> Posted:
        posted: Posted = []
        for place, view in enumerate(views):
            posted += await self._show_one(view, place)
        return posted

    async def _show_one(self, view: ui.LayoutView, place: int) -> Posted:
        if self._instead:
            return await self._instead.show([view])
        try:
            if place == 0:
                message: discord.Message = await persistently(
                    lambda: self._interaction.edit_original_response(view=view)
                )
            else:
                message = await self._interaction.followup.send(
                    view=view, ephemeral=self.private, wait=True
                )
        except discord.HTTPException as error:
            self._give_up_interaction(error)
            return await self._show_one(view, place)
        return [(message.channel.id, message.id)]

    def _give_up_interaction(self, error: discord.HTTPException) -> None:
        """Turn to the channel if the interaction is merely too old and the answer is for all."""
        channel = self._interaction.channel
        if error.code not in _EXPIRED or self.private or channel is None:
            raise Lost(f"{error}") from error
        assert isinstance(channel, discord.abc.Messageable)
        _log.info("The interaction has expired (%s): answering in the channel.", error.code)
        self._instead = ChannelReply(channel, instead_of=self._noted)


class ChannelReply:
    """A message in a channel, under another one if it still stands, or `instead_of` one of ours."""

    private = False

    def __init__(
        self,
        channel: discord.abc.Messageable,
        under: discord.Message | None = None,
        instead_of: int | None = None,
    ) -> None:
        self._channel, self._under = channel, under
        self._first: _Editable | None = None
        if instead_of is not None and isinstance(channel, _WITH_MESSAGES):
            self._first = channel.get_partial_message(instead_of)

    async def note(self, view: ui.LayoutView) -> None:
        self._first = await self._put(view, self._first)

    async def show(self, views: Sequence[ui.LayoutView]) -> Posted:
        posted: Posted = []
        for view in views:
            message = await self._put(view, self._first)
            self._first = None
            posted.append((message.channel.id, message.id))
        return posted

    async def _put(self, view: ui.LayoutView, instead_of: "_Editable | None") -> discord.Message:
        try:
            if instead_of is not None:
                return await persistently(lambda: instead_of.edit(view=view))
            return await persistently(self._sending(view))
        except discord.HTTPException as error:
            raise Lost(f"{error}") from error

    def _sending(self, view: ui.LayoutView) -> Callable[[], Awaitable[discord.Message]]:
        # With a nonce Discord takes a repetition for what it is.
        nonce = secrets.token_hex(8)
        reference: Any = {}
        if self._under is not None:
            under = self._under.to_reference(fail_if_not_exists=False)
            reference = {"reference": under, "mention_author": False}
        return lambda: self._channel.send(view=view, nonce=nonce, **reference)


async def persistently(call: Callable[[], Awaitable[T]]) -> T:
    """Once more when the connection breaks; what Discord itself answers is for the caller."""
    for trial in range(1, _TRIES):
        try:
            return await call()
        except (OSError, aiohttp.ClientError) as error:
            _log.warning("The connection broke (%s): trying again.", error)
            await asyncio.sleep(0.3 * trial)
    return await call()


def taken(error: BaseException) -> bool:
    """Whether another program with our token was faster."""
    return isinstance(error.__cause__, discord.HTTPException) and error.__cause__.code == _TAKEN
