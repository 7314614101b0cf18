"""Questions by command, mention, reply, thread and menu; what an answer's buttons do."""

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import app_commands, ui

from bot.desk import Desk
from bot.errors import AnswerGone, BotRefusal, MissingPermission, NotTheAsker
from bot.errors_text import explain, sentence_for
from bot.escape import within
from bot.gate import Gate, Place
from bot.index_keeper import IndexKeeper
from bot.language import language_of_locale, other_language
from bot.memory import Kept
from bot.render import answer_cards, note_card, trouble_card
from bot.replies import ChannelReply, InteractionReply, Lost, Reply, persistently, taken
from bot.shown import Shown
from bot.texts import text
from bot.translator import named
from bot.views import Interaction, Press, button, key_in
from bot.waiting import Ticket
from rag.errors import NoIndex
from rag.result import Variant

_log = logging.getLogger(__name__)
_HISTORY = 4
_THREAD_NAME, _MODAL_TITLE, _LABEL = 100, 45, 45
_QUESTION, _REASON = 2000, 500
_THREAD_EXISTS = 160004


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
        try:
            await self._shown(asked, await self._answered(asked, reply), reply)
        except Lost:
            raise
        except Exception as error:
            await reply.show([trouble_card(sentence_for(error, asked.language))])

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
        if asked.thread and await desk.remember(desk.memory.in_thread, asked.thread):
            await desk.remember(desk.memory.open_thread, asked.thread, key)

    def cards(self, shown: Shown, key: str, channel: Any) -> list[ui.LayoutView]:
        """The messages of an answer in a channel."""
        threads = isinstance(channel, discord.TextChannel)
        again = shown.engine.startswith("llm:") or shown.degraded is not None
        return answer_cards(shown, key, threads=threads, again=again)

    # messages

    async def heard(self, message: discord.Message, me: discord.ClientUser) -> None:
        """A message came: a mention, a reply to us, a direct message, or nothing to us."""
        if message.author.bot or message.webhook_id:
            return
        before = await self._replied_to(message)
        if before is None and isinstance(message.channel, discord.Thread):
            before = await self.desk.remember(self.desk.memory.in_thread, message.channel.id)
            if before is not None and not message.content:
                await self._hint(message)
                return
        direct = message.guild is None
        if not (direct or before is not None or me in message.mentions):
            return
        question = _without_mention(message.content, me.id) or _quoted_message(message, me.id)
        if question:
            await self.by_message(message, question, before.shown.conversation if before else ())
        elif direct or me in message.mentions:
            await self._greet(message)

    async def _replied_to(self, message: discord.Message) -> Kept | None:
        reference = message.reference
        if reference is None or reference.message_id is None:
            return None
        kept = await self.desk.remember(self.desk.memory.answer_in, reference.message_id)
        if kept is None and isinstance(reference.resolved, discord.Message):
            # So fresh that it is not noted yet, or the later part of a long answer.
            key = key_in(reference.resolved)
            kept = await self.desk.remember(self.desk.memory.answer, key) if key else None
        return kept

    async def _hint(self, message: discord.Message) -> None:
        """Once a thread: without a mention Discord does not show us what people write."""
        if await self.desk.remember(self.desk.memory.hint_thread, message.channel.id):
            await self._say(message, "thread.hint")

    async def _greet(self, message: discord.Message) -> None:
        await self._say(message, "ask.greeting")

    async def _say(self, message: discord.Message, key: str) -> None:
        if not self.gate.serves(Place.of_message(message)):
            return
        locale = message.guild.preferred_locale.value if message.guild else None
        view = note_card(text(language_of_locale(locale), key))
        with suppress(Lost):
            await ChannelReply(message.channel, message).show([view])

    # buttons

    def acts(self) -> dict[str, Press]:
        return {
            "flip": self._flip, "good": self._good, "bad": self._bad, "thread": self._thread,
            "again": self._again, "stop": self._stop, "more": self._more,
        }  # fmt: skip

    async def kept(self, key: str) -> Kept:
        """The answer behind a button; AnswerGone when it is not kept any more."""
        kept = await self.desk.remember(self.desk.memory.answer, key)
        if kept is None:
            raise AnswerGone
        return kept

    async def _flip(self, interaction: Interaction, key: str, to: str) -> None:
        """The asker turns the answer itself over; anyone else gets a copy of their own."""
        kept = await self.kept(key)
        variant: Variant = "hans" if to == "hans" else "hant"
        shown = replace(
            kept.shown, variant=variant, language=other_language(kept.shown.language, variant)
        )
        if self._asked_by(kept, interaction):
            await self.desk.remember(self.desk.memory.change, key, shown)
            await self._redraw(interaction, key, shown)
        else:
            copy = replace(shown, private=True)
            await _show_privately(interaction, self.cards(copy, key, interaction.channel))

    async def _redraw(self, interaction: Interaction, key: str, shown: Shown) -> None:
        """Every part of an answer in its place; parts that came to be or are no more, too."""
        views = self.cards(shown, key, interaction.channel)
        here = interaction.message
        parts = await self.desk.remember(self.desk.memory.messages_of, key)
        if here is None or len(parts) <= 1 or len(views) != len(parts):
            # One message, or as good as: the first part here, the others below.
            await interaction.response.edit_message(view=views[0])
            for view in views[1:]:
                await interaction.followup.send(view=view, ephemeral=shown.private)
            return
        own = next((n for n, (_, message) in enumerate(parts) if message == here.id), -1)
        await interaction.response.edit_message(view=views[own])
        for place, (_, message) in enumerate(parts):
            if place != own:
                await _edit_part(interaction, message, views[place], shown.private)

    async def _good(self, interaction: Interaction, key: str, _: str) -> None:
        await self.kept(key)
        person = self.desk.memory.person(interaction.user.id)
        await self.desk.remember(self.desk.memory.judge, key, person, True, None)
        language = language_of_locale(interaction.locale.value)
        await interaction.response.send_message(text(language, "feedback.thanks"), ephemeral=True)

    async def _bad(self, interaction: Interaction, key: str, _: str) -> None:
        await self.kept(key)
        await interaction.response.send_modal(ReasonForm(self, key, interaction.locale.value))

    async def judge_bad(self, interaction: Interaction, key: str, reason: str) -> None:
        await self.kept(key)
        person = self.desk.memory.person(interaction.user.id)
        await self.desk.remember(self.desk.memory.judge, key, person, False, reason)
        language = language_of_locale(interaction.locale.value)
        await interaction.response.send_message(text(language, "feedback.sorry"), ephemeral=True)

    async def _thread(self, interaction: Interaction, key: str, _: str) -> None:
        """Open a thread from the answer and say how to go on there."""
        kept = await self.kept(key)
        self.gate.check_served(Place.of_interaction(interaction))
        await interaction.response.defer(thinking=True, ephemeral=True)
        thread = await self._opened(interaction, key, kept.shown)
        await self.desk.remember(self.desk.memory.open_thread, thread.id, key)
        language = language_of_locale(interaction.locale.value)
        await interaction.followup.send(
            text(language, "thread.opened", place=thread.mention), ephemeral=True
        )

    async def _opened(self, interaction: Interaction, key: str, shown: Shown) -> discord.Thread:
        message = interaction.message
        assert message is not None
        name = within(" ".join(shown.question.split()), _THREAD_NAME)
        try:
            thread = await message.create_thread(name=name)
        except discord.HTTPException as error:
            there = message.guild.get_thread(message.id) if message.guild else None
            if error.code == _THREAD_EXISTS and there is not None:
                return there
            raise MissingPermission if isinstance(error, discord.Forbidden) else error from error
        more = button(
            text(shown.language, "button.more"), "more", key, style=discord.ButtonStyle.primary
        )
        await thread.send(view=note_card(text(shown.language, "thread.welcome"), more))
        return thread

    async def _more(self, interaction: Interaction, key: str, _: str) -> None:
        """Ask on in a thread: by a form, for plain messages are not shown to us."""
        latest = None
        if interaction.channel_id is not None:
            latest = await self.desk.remember(self.desk.memory.in_thread, interaction.channel_id)
        kept = latest or await self.kept(key)
        form = QuestionForm(self, kept.shown.conversation, interaction.locale.value)
        await interaction.response.send_modal(form)

    async def _again(self, interaction: Interaction, key: str, _: str) -> None:
        """Let the model answer once more, in the same place."""
        kept = await self.kept(key)
        if not self._asked_by(kept, interaction) and not self.gate.moderates(interaction):
            raise NotTheAsker
        self.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer()
        shown = kept.shown
        async with self.desk.line.turn(kept.person, _silently):
            fresh = await self.desk.answer(
                shown.question, shown.history, shown.variant, interaction.locale.value
            )
        fresh = replace(fresh, private=shown.private, language=shown.language)
        await self.desk.remember(self.desk.memory.change, key, fresh)
        views = self.cards(fresh, key, interaction.channel)
        await interaction.edit_original_response(view=views[-1] if len(views) == 1 else views[0])
        for view in views[1:]:
            await interaction.followup.send(view=view, ephemeral=shown.private)

    async def _stop(self, interaction: Interaction, key: str, _: str) -> None:
        """Take a waiting question back."""
        ticket, user = self._tickets.get(key, (None, 0))
        if ticket is not None and user != interaction.user.id:
            raise NotTheAsker
        if ticket is not None:
            self.desk.line.stop(ticket)
        await interaction.response.defer()

    def _asked_by(self, kept: Kept, interaction: Interaction) -> bool:
        return kept.person == self.desk.memory.person(interaction.user.id)


class ReasonForm(ui.Modal):
    """Why an answer did not help."""

    def __init__(self, asking: Asking, key: str, locale: str) -> None:
        language = language_of_locale(locale)
        super().__init__(title=within(text(language, "feedback.title"), _MODAL_TITLE))
        self._asking, self._key = asking, key
        options = [
            discord.SelectOption(label=text(language, f"feedback.{value}"), value=value)
            for value in ("wrong", "incomplete", "sources", "wording", "other")
        ]
        self._kind: ui.Select[Any] = ui.Select(custom_id="kind", options=options)
        self._why: ui.TextInput[Any] = ui.TextInput(
            custom_id="why", required=False, max_length=_REASON, style=discord.TextStyle.paragraph
        )
        self.add_item(ui.Label(text=text(language, "feedback.kind"), component=self._kind))
        self.add_item(ui.Label(text=text(language, "feedback.why"), component=self._why))

    async def on_submit(self, interaction: Interaction) -> None:
        reason = ": ".join(filter(None, (*self._kind.values, self._why.value.strip())))
        await self._asking.judge_bad(interaction, self._key, reason)

    async def on_error(self, interaction: Interaction, error: Exception, /) -> None:  # type: ignore[override]
        await explain(interaction, error)


class QuestionForm(ui.Modal):
    """The next question in a thread."""

    def __init__(self, asking: Asking, history: Sequence[str], locale: str) -> None:
        language = language_of_locale(locale)
        super().__init__(title=within(text(language, "button.more"), _MODAL_TITLE))
        self._asking, self._history = asking, tuple(history)
        self._question: ui.TextInput[Any] = ui.TextInput(
            custom_id="question", max_length=_QUESTION, style=discord.TextStyle.paragraph
        )
        label = text(language, "option.question_name")
        self.add_item(ui.Label(text=within(label, _LABEL), component=self._question))

    async def on_submit(self, interaction: Interaction) -> None:
        await self._asking.by_interaction(interaction, self._question.value, history=self._history)

    async def on_error(self, interaction: Interaction, error: Exception, /) -> None:  # type: ignore[override]
        await explain(interaction, error)


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


async def _edit_part(
    interaction: Interaction, message: int, view: ui.LayoutView, private: bool
) -> None:
    if private or interaction.channel_id is None:
        await interaction.followup.send(view=view, ephemeral=True)
        return
    channel = interaction.client.get_partial_messageable(interaction.channel_id)
    part = channel.get_partial_message(message)
    with suppress(discord.NotFound):
        await persistently(lambda: part.edit(view=view))


async def _show_privately(interaction: Interaction, views: Sequence[ui.LayoutView]) -> None:
    await interaction.response.send_message(view=views[0], ephemeral=True)
    for view in views[1:]:
        await interaction.followup.send(view=view, ephemeral=True)


async def _silently(_ticket: Ticket, _place: int) -> None:
    """Nobody is told the place."""


def _log_lost(lost: Lost) -> None:
    if taken(lost):
        _log.warning("Another program with this token answers too: end one of them.")
    else:
        _log.warning("An answer has no place to go: %s", lost)
