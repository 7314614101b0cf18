"""A question is admitted, waits its turn, is answered, shown and remembered."""

import logging
import time
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from typing import Any

import discord
from discord import app_commands, ui

from bot.desk import Desk
from bot.draft import draft_card
from bot.drafting import Drafting
from bot.errors import AnswerGone, BotRefusal, CoolingDown
from bot.errors_text import sentence_for
from bot.gate import Gate, Place
from bot.index_keeper import IndexKeeper
from bot.language import language_of_locale
from bot.logs import logged_as_question
from bot.memory import Kept
from bot.noting import Noting
from bot.render import answer_cards, note_card, trouble_card
from bot.replies import ChannelReply, InteractionReply, Lost, Reply, taken
from bot.shown import Shown
from bot.stopping import Stop, Stops
from bot.texts import text
from bot.translator import named
from bot.views import Interaction, button
from bot.waiting import Ticket
from rag.errors import NoIndex
from rag.question import HISTORY
from rag.result import Variant

_log = logging.getLogger(__name__)
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
    guild: int | None = None

    @property
    def thread(self) -> int | None:
        """The thread that is written in, if it is one."""
        return self.channel.id if isinstance(self.channel, discord.Thread) else None


class Asking:
    """Answers questions. It knows no commands; `add_asking` does."""

    def __init__(self, desk: Desk, gate: Gate, keeper: IndexKeeper) -> None:
        self.desk, self.gate, self._keeper = desk, gate, keeper
        self.noting = Noting(desk)
        self.stops = Stops(desk.line)
        self.under_way = 0

    # answering

    @logged_as_question("interaction")
    async def by_interaction(
        self, interaction: Interaction, question: str, *,
        history: Sequence[str] = (), choice: Variant | None = None, private: bool = False,
    ) -> None:  # fmt: skip
        """Answer a command or menu; what is refused at once is told to the asker alone."""
        locale = interaction.locale.value
        asked = Asked(
            question, interaction.user.id, locale, language_of_locale(locale),
            tuple(history)[-HISTORY:], choice, interaction.channel, interaction.guild_id,
        )  # fmt: skip
        self.admit(Place.of_interaction(interaction), asked.user)
        reply = InteractionReply(interaction, private, drafts=True)
        try:
            await reply.start()
            await self.answer(asked, reply)
        except Lost as lost:
            _log_lost(lost)

    @logged_as_question("message")
    async def by_message(
        self, message: discord.Message, question: str, history: Sequence[str] = ()
    ) -> None:
        """Answer a message under it."""
        guild_locale = message.guild.preferred_locale.value if message.guild else None
        asked = Asked(
            question, message.author.id, guild_locale, language_of_locale(guild_locale),
            tuple(history)[-HISTORY:], None, message.channel,
            message.guild.id if message.guild else None,
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
        person = self.desk.memory.person(user)
        try:
            self.gate.check_served(place)
            self.desk.line.check(person)
            self.desk.cooldown.take(person)
        except BotRefusal as refusal:
            self._turned_away(refusal)
            raise
        _log.info("admitted", extra={"person": person})

    async def answer(self, asked: Asked, reply: Reply) -> None:
        """Wait for the turn, answer, show, remember. A failure is shown in the answer's place."""
        began = time.monotonic()
        self.under_way += 1
        try:
            await self._shown(asked, await self.answered(asked, reply), reply)
            self.desk.metrics.took("whole", began)
        except Lost as lost:
            self._turned_away(lost)
            raise
        except Exception as error:
            self._turned_away(error)
            await reply.show([trouble_card(sentence_for(error, asked.language))])
        finally:
            self.under_way -= 1

    def _turned_away(self, error: Exception) -> None:
        _log.info("not answered", extra={"why": type(error).__name__})
        self.desk.metrics.failed(error)

    async def answered(self, asked: Asked, reply: Reply) -> Shown:
        """Wait for the turn and answer; the place and the drafts are shown meanwhile."""
        person = self.desk.memory.person(asked.user)
        choice = asked.choice or await self.desk.remember(self.desk.memory.variant_of, person)
        stop = self.stops.add(asked.user)
        draft = self._drafting(asked, choice, reply, stop)

        async def tell(ticket: Ticket, place: int) -> None:
            stop.ticket = ticket
            back = button(text(asked.language, "button.stop"), "stop", stop.key)
            await draft.note(note_card(text(asked.language, "ask.place", place=place + 1), back))

        try:
            began = time.monotonic()
            async with self.desk.line.turn(person, tell):
                self.desk.metrics.took("wait", began)
                await self._keeper.indexed(reply, asked.language)
                return await self._from_service(asked, choice, reply, draft)
        finally:
            self.stops.remove(stop)
            await draft.settle()

    def _drafting(self, asked: Asked, choice: Variant | None, reply: Reply, stop: Stop) -> Drafting:
        """What shows an answer while it is written."""
        language = self.desk.language(asked.question, choice, asked.locale)
        drawn = partial(draft_card, question=asked.question, language=language, stop=stop.key)
        return Drafting(reply, drawn, stop.writing)

    async def _from_service(
        self, asked: Asked, choice: Variant | None, reply: Reply, draft: Drafting
    ) -> Shown:
        ask = (asked.question, asked.history, choice, asked.locale)
        try:
            return await self.desk.answer(*ask, draft.begin(self.desk.writes()))
        except NoIndex:  # it was removed while the bot ran
            await draft.rest()
            self._keeper.look_again()
            await self._keeper.indexed(reply, asked.language)
            return await self.desk.answer(*ask, draft.begin(self.desk.writes()))

    async def _shown(self, asked: Asked, shown: Shown, reply: Reply) -> None:
        desk, shown = self.desk, replace(shown, private=reply.private)
        person = desk.memory.person(asked.user)
        key = await desk.remember(desk.memory.keep, shown, person, asked.thread, asked.guild)
        began = time.monotonic()
        posted = await reply.show(self.cards(shown, key, asked.channel))
        desk.metrics.took("show", began)
        _log.info("shown", extra={"answer": key, "messages": len(posted)})
        await desk.remember(desk.memory.posted, key, posted)
        if asked.thread is not None:
            await desk.remember(desk.memory.go_on_in_thread, asked.thread, key)
        await self.noting.answered(key, shown)

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
