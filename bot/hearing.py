"""Messages: which of them are meant for the bot, and what they ask."""

from contextlib import suppress

import discord

from bot.asking import Asking, words_of
from bot.gate import Place
from bot.language import language_of_locale
from bot.memory import Kept
from bot.render import note_card
from bot.replies import ChannelReply, Lost
from bot.texts import text
from bot.views import key_in

_SPOKEN = (discord.MessageType.default, discord.MessageType.reply)


class Hearing:
    """Listens to messages. Only mentions, replies and direct messages carry their text to us."""

    def __init__(self, asking: Asking) -> None:
        self._asking, self._desk, self._gate = asking, asking.desk, asking.gate

    async def heard(self, message: discord.Message, me: discord.ClientUser) -> None:
        """A message came: a mention, a reply to us, a direct message, or nothing to us."""
        if message.author.bot or message.webhook_id or message.type not in _SPOKEN:
            return
        before = await self._replied_to(message)
        if before is None and isinstance(message.channel, discord.Thread):
            before = await self._desk.remember(self._desk.memory.in_thread, message.channel.id)
            if before is not None and not message.content:
                await self._hint(message)
                return
        direct = message.guild is None
        if not (direct or before is not None or me in message.mentions):
            return
        question = _without_mention(message.content, me.id) or _quoted_message(message, me.id)
        if question:
            await self._asking.by_message(
                message, question, before.shown.conversation if before else ()
            )
        elif direct or me in message.mentions:
            await self._greet(message)

    async def _replied_to(self, message: discord.Message) -> Kept | None:
        reference = message.reference
        if reference is None or reference.message_id is None:
            return None
        kept = await self._desk.remember(self._desk.memory.answer_in, reference.message_id)
        if kept is None and isinstance(reference.resolved, discord.Message):
            # So fresh that it is not noted yet, or the later part of a long answer.
            key = key_in(reference.resolved)
            if key is not None:
                kept = await self._desk.remember(self._desk.memory.answer, key)
        return kept

    async def _hint(self, message: discord.Message) -> None:
        """Once a thread: without a mention Discord does not show us what people write."""
        if await self._desk.remember(self._desk.memory.hint_thread, message.channel.id):
            await self._say(message, "thread.hint")

    async def _greet(self, message: discord.Message) -> None:
        await self._say(message, "ask.greeting")

    async def _say(self, message: discord.Message, key: str) -> None:
        if not self._gate.serves(Place.of_message(message)):
            return
        locale = message.guild.preferred_locale.value if message.guild else None
        view = note_card(text(language_of_locale(locale), key))
        with suppress(Lost):
            await ChannelReply(message.channel, message).show([view])


def _without_mention(content: str, me: int) -> str:
    for mention in (f"<@{me}>", f"<@!{me}>"):
        content = content.replace(mention, " ")
    return content.strip()


def _quoted_message(message: discord.Message, me: int) -> str:
    """The message that a bare mention replies to: it is what is asked about."""
    resolved = message.reference.resolved if message.reference else None
    if isinstance(resolved, discord.Message) and resolved.author.id != me:
        return words_of(resolved).strip()
    return ""
