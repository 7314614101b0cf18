"""What moderators learn from: questions without an answer, and answers that people judged."""

from typing import Any

import discord
from discord import app_commands, ui

from bot.desk import Desk
from bot.errors import AnswerGone, GapGone
from bot.errors_text import explain
from bot.escape import line, within
from bot.gap_cards import VERDICTS, gaps_card, judged_card
from bot.gaps import STATES
from bot.gate import Gate
from bot.judged import Verdict
from bot.language import language_of_locale
from bot.promote import promote
from bot.render import note_card
from bot.texts import text
from bot.translator import named
from bot.views import Interaction, Press

_LABEL, _TITLE, _QUOTE = 45, 45, 1000
_WHICH: dict[str, bool | None] = {"unhelpful": False, "helpful": True, "all": None}


class Learning:
    """Every act checks the permission of who acts, and shows its own server's questions only."""

    def __init__(self, desk: Desk, gate: Gate) -> None:
        self._desk, self._gate = desk, gate

    def acts(self) -> dict[str, Press]:
        return {
            "gaps": self._turn_gaps, "mark": self._mark,
            "judged": self._turn_judged, "golden": self._golden,
        }  # fmt: skip

    async def gaps(self, interaction: Interaction, state: str) -> None:
        self._gate.check_moderates(interaction)
        await interaction.response.defer(thinking=True, ephemeral=True)
        await self._show_gaps(interaction, state, 0)

    async def feedback(self, interaction: Interaction, which: str) -> None:
        self._gate.check_moderates(interaction)
        await interaction.response.defer(thinking=True, ephemeral=True)
        await self._show_judged(interaction, which, 0)

    # gaps

    async def _turn_gaps(self, interaction: Interaction, page: str, argument: str) -> None:
        self._gate.check_moderates(interaction)
        await interaction.response.defer()
        await self._show_gaps(interaction, argument.split("-")[0], _number(page))

    async def _mark(self, interaction: Interaction, number: str, argument: str) -> None:
        """Set the state of a gap and show what is left; another moderator may have been faster."""
        self._gate.check_moderates(interaction)
        state, shown, page = argument.split("-")
        if state not in STATES:
            raise GapGone
        await interaction.response.defer()
        mark = self._desk.memory.gaps.mark
        guild = interaction.guild_id
        if not await self._desk.remember(mark, _number(number), state, guild):
            raise GapGone
        language = language_of_locale(interaction.locale.value)
        note = text(language, "gaps.marked", state=text(language, f"choice.{state}"))
        await self._show_gaps(interaction, shown, _number(page), f"-# {note}")

    async def _show_gaps(
        self, interaction: Interaction, shown: str, page: int, note: str = ""
    ) -> None:
        state = next((state for state in STATES if state == shown), None)
        listed = self._desk.memory.gaps.listed
        gaps = await self._desk.remember(listed, state, interaction.guild_id)
        language = language_of_locale(interaction.locale.value)
        view = gaps_card(gaps, page, state, language, note)
        await interaction.edit_original_response(view=view)

    # judged answers

    async def _turn_judged(self, interaction: Interaction, page: str, argument: str) -> None:
        self._gate.check_moderates(interaction)
        await interaction.response.defer()
        await self._show_judged(interaction, argument.split("-")[0], _number(page))

    async def _show_judged(self, interaction: Interaction, which: str, page: int) -> None:
        which = which if which in _WHICH else "all"
        helpful, guild, judged = _WHICH[which], interaction.guild_id, self._desk.memory.judged
        count = await self._desk.remember(judged.count, helpful, guild)
        page = min(page, max(0, -(-count // VERDICTS) - 1))
        verdicts = await self._desk.remember(
            judged.listed, helpful, guild, most=VERDICTS, skip=page * VERDICTS
        )
        language = language_of_locale(interaction.locale.value)
        view = judged_card(verdicts, count, page, which, language)
        await interaction.edit_original_response(view=view)

    async def _golden(self, interaction: Interaction, ident: str, how: str) -> None:
        self._gate.check_moderates(interaction)
        if how == "quote":
            await interaction.response.send_modal(QuoteForm(self, ident, interaction.locale.value))
            return
        await self.promote(interaction, ident, refuse=how == "none")

    async def promote(
        self, interaction: Interaction, ident: str, quote: str = "", *, refuse: bool = False
    ) -> None:
        """Write the golden question and tell the moderator its name."""
        self._gate.check_moderates(interaction)
        await interaction.response.defer(thinking=True, ephemeral=True)
        verdict = await self._verdict(ident, interaction.guild_id)
        quotes = [part for part in quote.splitlines() if part.strip()]
        made = await self._desk.read(promote, self._desk.service, verdict, quotes, refuse=refuse)
        language = language_of_locale(interaction.locale.value)
        key = "judged.made" if made.row["gold_quotes"] else "judged.made_refusal"
        told = text(language, key, id=made.row["id"], question=line(made.row["question"], 100))
        await interaction.edit_original_response(view=note_card(told))

    async def _verdict(self, ident: str, guild: int | None) -> Verdict:
        verdict = await self._desk.remember(self._desk.memory.judged.one, ident, guild)
        if verdict is None:
            raise AnswerGone
        return verdict


class QuoteForm(ui.Modal):
    """Which sentence of the articles answers the question."""

    def __init__(self, learning: Learning, ident: str, locale: str) -> None:
        language = language_of_locale(locale)
        super().__init__(title=within(text(language, "judged.form"), _TITLE))
        self._learning, self._ident = learning, ident
        self._quote: ui.TextInput[Any] = ui.TextInput(
            custom_id="quote", max_length=_QUOTE, style=discord.TextStyle.paragraph
        )
        label = within(text(language, "judged.quote"), _LABEL)
        self.add_item(ui.Label(text=label, component=self._quote))

    async def on_submit(self, interaction: Interaction) -> None:
        await self._learning.promote(interaction, self._ident, self._quote.value)

    async def on_error(self, interaction: Interaction, error: Exception, /) -> None:  # type: ignore[override]
        await explain(interaction, error)


def add_learning(
    tree: "app_commands.CommandTree[Any]", learning: Learning, *, hidden: bool
) -> None:
    """`/gaps` and `/feedback`; `hidden` as in `add_moderating`."""

    @tree.command(**named("gaps"))
    @app_commands.guild_only()
    @app_commands.rename(**named.options("state"))
    @app_commands.describe(**named.descriptions("state"))
    @app_commands.choices(state=named.choices("open", "answered", "ignored", "all"))
    async def gaps(interaction: discord.Interaction, state: str = "open") -> None:
        await learning.gaps(interaction, state)

    @tree.command(**named("feedback"))
    @app_commands.guild_only()
    @app_commands.rename(**named.options("which"))
    @app_commands.describe(**named.descriptions("which"))
    @app_commands.choices(which=named.choices("unhelpful", "helpful", "all"))
    async def feedback(interaction: discord.Interaction, which: str = "all") -> None:
        await learning.feedback(interaction, which)

    if hidden:
        for command in (gaps, feedback):
            command.default_permissions = discord.Permissions(manage_guild=True)


def _number(told: str) -> int:
    return int(told) if told.isdigit() else 0
