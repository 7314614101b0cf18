"""A question is admitted, waits its turn, is answered, shown and remembered."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import app_commands, ui

from bot.desk import Desk
from bot.errors import AnswerGone, BotRefusal, CoolingDown, NotTheAsker
from bot.errors_text import sentence_for
from bot.gate import Gate, Place
from bot.index_keeper import IndexKeeper
from bot.language import language_of_locale
from bot.memory import Kept
from bot.render import answer_cards, note_card, trouble_card
from bot.replies import ChannelReply, InteractionReply, Lost, Reply, taken
from bot.shown import Shown
from bot.texts import text
from bot.translator import named
from bot.views import Interaction, button
from bot.waiting import Ticket
from rag.errors import NoIndex
from rag.result import Variant

_log = logging.getLogger(__name__)
_HISTORY = 4
_QUESTION = 2000


@dataclass(frozen=True, slots=True)
class Asked:
    """A question with all that decides its answer. `language` is for words before the answer."""

    question: str
    user: int
    locale: str | None
    language: str
    history: tuple[str, ...] = ()
    choice: Variant | None = None
    channel: Any = None

    @property
    def thread(self) -> int | None:
        """The thread that is written in, if it is one."""
        return self.channel.id if isinstance(self.channel, discord.Thread) else None


class Asking:
    """Answers questions. It knows no commands; `add_asking` does."""

    def __init__(self, desk: Desk, gate: Gate, keeper: IndexKeeper) -> None:
        self.desk, self.gate, self._keeper = desk, gate, keeper
        self._tickets: dict[str, tuple[Ticket, int]] = {}
        self.under_way = 0

    # answering

    async def by_interaction(
        self, interaction: Interaction, question: str, *,
        history: Sequence[str] = (), choice: Variant | None = None, private: bool = False,
    ) -> None:  # fmt: skip
        """Answer a command or menu; what is refused at once is told to the asker alone."""
        locale = interaction.locale.value
        asked = Asked(
            question, interaction.user.id, locale, language_of_locale(locale),
            tuple(history)[-_HISTORY:], choice, interaction.channel,
        )  # fmt: skip
        self.admit(Place.of_interaction(interaction), asked.user)
        reply = InteractionReply(interaction, private)
        try:
            await reply.start()
            await self.answer(asked, reply)
        except Lost as lost:
            _log_lost(lost)

    async def by_message(
        self, message: discord.Message, question: str, history: Sequence[str] = ()
    ) -> None:
        """Answer a message under it."""
        guild_locale = message.guild.preferred_locale.value if message.guild else None
        asked = Asked(
            question, message.author.id, guild_locale, language_of_locale(guild_locale),
            tuple(history)[-_HISTORY:], None, message.channel,
        )  # fmt: skip
        reply = ChannelReply(message.channel, message)
        try:
            await self._by_message(message, asked, reply)
        except Lost as lost:
            _log_lost(lost)

    async def _by_message(
        self, message: discord.Message, asked: Asked, reply: ChannelReply
    ) -> None:
        place = Place.of_message(message)
        if not self.gate.serves(place):
            return  # a bot that is not served here is silent when it is mentioned
        try:
            self.admit(place, asked.user)
        except BotRefusal as refusal:
            if isinstance(refusal, CoolingDown) and refusal.repeated:
                return  # who writes without end must not make the bot do so
            await reply.show([trouble_card(sentence_for(refusal, asked.language))])
            return
        with suppress(discord.HTTPException, OSError):
            await message.channel.typing()
        await self.answer(asked, reply)

    def admit(self, place: Place, user: int) -> None:
        """Raise what keeps a person from asking here and now."""
        self.gate.check_served(place)
        person = self.desk.memory.person(user)
        self.desk.line.check(person)
        self.desk.cooldown.take(person)

    async def answer(self, asked: Asked, reply: Reply) -> None:
        """Wait for the turn, answer, show, remember. A failure is shown in the answer's place."""
        self.under_way += 1
        try:
            await self._shown(asked, await self._answered(asked, reply), reply)
        except Lost:
            raise
        except Exception as error:
            await reply.show([trouble_card(sentence_for(error, asked.language))])
        finally:
            self.under_way -= 1

    async def _answered(self, asked: Asked, reply: Reply) -> Shown:
        person = self.desk.memory.person(asked.user)
        choice = asked.choice or await self.desk.remember(self.desk.memory.variant_of, person)
        tickets: list[Ticket] = []

        async def tell(ticket: Ticket, place: int) -> None:
            tickets.append(ticket)
            self._tickets[str(id(ticket))] = (ticket, asked.user)
            stop = button(text(asked.language, "button.stop"), "stop", str(id(ticket)))
            await reply.note(note_card(text(asked.language, "ask.place", place=place + 1), stop))

        try:
            async with self.desk.line.turn(person, tell):
                await self._keeper.indexed(reply, asked.language)
                return await self._from_service(asked, choice, reply)
        finally:
            for ticket in tickets:
                self._tickets.pop(str(id(ticket)), None)

    async def _from_service(self, asked: Asked, choice: Variant | None, reply: Reply) -> Shown:
        ask = (asked.question, asked.history, choice, asked.locale)
        try:
            return await self.desk.answer(*ask)
        except NoIndex:  # it was removed while the bot ran
            self._keeper.look_again()
            await self._keeper.indexed(reply, asked.language)
            return await self.desk.answer(*ask)

    async def _shown(self, asked: Asked, shown: Shown, reply: Reply) -> None:
        desk, shown = self.desk, replace(shown, private=reply.private)
        person = desk.memory.person(asked.user)
        key = await desk.remember(desk.memory.keep, shown, person, asked.thread)
        posted = await reply.show(self.cards(shown, key, asked.channel))
        await desk.remember(desk.memory.posted, key, posted)
        if asked.thread is not None:
            await desk.remember(desk.memory.go_on_in_thread, asked.thread, key)

    def cards(self, shown: Shown, key: str, channel: Any) -> list[ui.LayoutView]:
        """The messages of an answer in a channel."""
        threads = isinstance(channel, discord.TextChannel)
        again = shown.engine.startswith("llm:") or shown.degraded is not None
        return answer_cards(shown, key, threads=threads, again=again)

    async def kept(self, key: str) -> Kept:
        """The answer behind a button; AnswerGone when it is not kept any more."""
        kept = await self.desk.remember(self.desk.memory.answer, key)
        if kept is None:
            raise AnswerGone
        return kept

    async def stop(self, key: str, user: int) -> None:
        """Take a waiting question back; NotTheAsker if it is someone else's."""
        ticket, asker = self._tickets.get(key, (None, 0))
        if ticket is not None and asker != user:
            raise NotTheAsker
        if ticket is not None:
            self.desk.line.stop(ticket)


def add_asking(tree: "app_commands.CommandTree[Any]", asking: Asking) -> None:
    """`/ask` and the message menu."""

    @tree.command(**named("ask"))
    @app_commands.rename(**named.options("question", "variant", "private"))
    @app_commands.describe(**named.descriptions("question", "variant", "private"))
    @app_commands.choices(variant=named.choices("auto", "hant", "hans"))
    async def ask(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, _QUESTION],
        variant: str = "auto",
        private: bool = False,
    ) -> None:
        await asking.by_interaction(interaction, question, choice=chosen(variant), private=private)

    @tree.context_menu(name=named.menu("ask_about"))
    async def ask_about(interaction: discord.Interaction, message: discord.Message) -> None:
        await asking.by_interaction(interaction, words_of(message))


def chosen(variant: str) -> Variant | None:
    """The script that an option names; None follows the question."""
    scripts: dict[str, Variant] = {"hant": "hant", "hans": "hans"}
    return scripts.get(variant)


def words_of(message: discord.Message) -> str:
    """What a message says: its text, else that of its embeds."""
    embeds = (part for embed in message.embeds for part in (embed.title, embed.description))
    return message.content or "\n".join(part for part in embeds if part)


def _log_lost(lost: Lost) -> None:
    if taken(lost):
        _log.warning("Another program with this token answers too: end one of them.")
    else:
        _log.warning("An answer has no place to go: %s", lost)
