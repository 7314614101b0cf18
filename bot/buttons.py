"""What the buttons under an answer do, also those of last month."""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from typing import Any

import discord
from discord import ui

from bot.asking import Asked, Asking
from bot.errors import AnswerGone, MissingPermission, NotTheAsker
from bot.errors_text import explain
from bot.escape import within
from bot.gate import Place
from bot.language import language_of_locale, other_language
from bot.memory import Kept
from bot.render import note_card, topic_of
from bot.replies import InteractionReply, Lost, Posted, persistently
from bot.shown import Shown
from bot.texts import text
from bot.views import Interaction, Press, button
from rag.result import Variant

_THREAD_NAME, _MODAL_TITLE, _LABEL = 100, 45, 45
_QUESTION, _REASON = 2000, 500
_THREAD_EXISTS = 160004


class Buttons:
    def __init__(self, asking: Asking) -> None:
        self._asking, self._desk, self._gate = asking, asking.desk, asking.gate

    def acts(self) -> dict[str, Press]:
        return {
            "flip": self._flip, "good": self._good, "bad": self._bad, "thread": self._thread,
            "again": self._again, "stop": self._stop, "more": self._more, "topic": self._topic,
        }  # fmt: skip

    async def _flip(self, interaction: Interaction, key: str, to: str) -> None:
        """The asker turns the answer itself over; anyone else gets a copy of their own."""
        kept = await self._asking.kept(key)
        variant: Variant = "hans" if to == "hans" else "hant"
        shown = replace(
            kept.shown, variant=variant, language=other_language(kept.shown.language, variant)
        )
        if self._asked_by(kept, interaction):
            await self._desk.remember(self._desk.memory.change, key, shown)
            await self._redraw(interaction, key, shown)
        else:
            copy = replace(shown, private=True)
            await _show_privately(interaction, self._asking.cards(copy, key, interaction.channel))

    async def _redraw(self, interaction: Interaction, key: str, shown: Shown) -> None:
        """Every part of an answer in its place; parts that came to be or are no more, too."""
        views = self._asking.cards(shown, key, interaction.channel)
        here = interaction.message
        parts = await self._desk.remember(self._desk.memory.messages_of, key)
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
        await self._asking.kept(key)
        person = self._desk.memory.person(interaction.user.id)
        await self._desk.remember(self._desk.memory.judge, key, person, True, None)
        language = language_of_locale(interaction.locale.value)
        await interaction.response.send_message(text(language, "feedback.thanks"), ephemeral=True)

    async def _bad(self, interaction: Interaction, key: str, _: str) -> None:
        await self._asking.kept(key)
        await interaction.response.send_modal(ReasonForm(self, key, interaction.locale.value))

    async def judge_bad(self, interaction: Interaction, key: str, reason: str) -> None:
        kept = await self._asking.kept(key)
        person = self._desk.memory.person(interaction.user.id)
        await self._desk.remember(self._desk.memory.judge, key, person, False, reason)
        language = language_of_locale(interaction.locale.value)
        await interaction.response.send_message(text(language, "feedback.sorry"), ephemeral=True)
        await self._asking.noting.unhelpful(key, kept.shown)

    async def _thread(self, interaction: Interaction, key: str, _: str) -> None:
        """Open a thread from the answer and say how to go on there."""
        kept = await self._asking.kept(key)
        self._gate.check_served(Place.of_interaction(interaction))
        await interaction.response.defer(thinking=True, ephemeral=True)
        thread = await self._opened(interaction, key, kept.shown)
        await self._desk.remember(self._desk.memory.open_thread, thread.id, key)
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
            latest = await self._desk.remember(self._desk.memory.in_thread, interaction.channel_id)
        kept = latest or await self._asking.kept(key)
        form = QuestionForm(self._asking, kept.shown.conversation, interaction.locale.value)
        await interaction.response.send_modal(form)

    async def _again(self, interaction: Interaction, key: str, _: str) -> None:
        """Let the model answer once more, in the same place."""
        kept = await self._asking.kept(key)
        if not self._asked_by(kept, interaction) and not self._gate.moderates(interaction):
            raise NotTheAsker
        self._asking.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer()
        reply = InteractionReply(interaction, kept.shown.private, drafts=True)
        try:
            await self._answer_again(interaction, kept, reply)
        except Lost:
            raise
        except Exception:  # whatever it is, the answer that stood there comes back
            await reply.show(self._asking.cards(kept.shown, key, interaction.channel))
            raise

    async def _answer_again(
        self, interaction: Interaction, kept: Kept, reply: InteractionReply
    ) -> None:
        shown, memory = kept.shown, self._desk.memory
        asked = Asked(
            shown.question, interaction.user.id, interaction.locale.value, shown.language,
            shown.history, shown.variant, interaction.channel, interaction.guild_id,
        )  # fmt: skip
        fresh = await self._asking.answered(asked, reply)
        fresh = replace(fresh, private=shown.private, language=shown.language)
        await self._desk.remember(memory.change, kept.id, fresh)
        posted = await reply.show(self._asking.cards(fresh, kept.id, interaction.channel))
        await self._remove_others(interaction, kept.id, posted)
        await self._desk.remember(memory.posted, kept.id, posted)
        await self._asking.noting.answered(kept.id, fresh)

    async def _remove_others(self, interaction: Interaction, key: str, posted: Posted) -> None:
        """Parts of the answer before, which the new one did not replace."""
        before = await self._desk.remember(self._desk.memory.messages_of, key)
        for channel, message in set(map(tuple, before)) - set(posted):
            with suppress(discord.HTTPException, OSError):  # an ephemeral one is out of reach
                place = interaction.client.get_partial_messageable(channel)
                await place.get_partial_message(message).delete()

    async def _topic(self, interaction: Interaction, key: str, which: str) -> None:
        """Ask about a topic that a refusal offered."""
        kept = await self._asking.kept(key)
        source = kept.shown.source(which)
        if source is None:
            raise AnswerGone
        shown = kept.shown
        topic = topic_of(source, shown.variant)
        question = text(shown.language, "answer.could_ask_one", topic=topic)
        private = shown.private
        await self._asking.by_interaction(interaction, question, private=private)

    async def _stop(self, interaction: Interaction, key: str, _: str) -> None:
        """Take a waiting question back, or end the writing of its answer."""
        self._asking.stops.press(key, interaction.user.id)
        await interaction.response.defer()

    def _asked_by(self, kept: Kept, interaction: Interaction) -> bool:
        return kept.person == self._desk.memory.person(interaction.user.id)


class ReasonForm(ui.Modal):
    """Why an answer did not help."""

    def __init__(self, buttons: Buttons, key: str, locale: str) -> None:
        language = language_of_locale(locale)
        super().__init__(title=within(text(language, "feedback.title"), _MODAL_TITLE))
        self._buttons, self._key = buttons, key
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
        await self._buttons.judge_bad(interaction, self._key, reason)

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
