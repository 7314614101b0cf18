"""What a person decides for themselves: their script, being forgotten, and where help is."""

from typing import Any

import discord
from discord import app_commands, ui

from bot.asking import chosen
from bot.desk import Desk
from bot.language import language_of_locale
from bot.texts import text
from bot.translator import named
from bot.views import Block, Interaction, Press, Row, Rule, Words, button, card, cards
from rag.result import Variant


class Personal:
    def __init__(self, desk: Desk) -> None:
        self._desk = desk

    def acts(self) -> dict[str, Press]:
        return {"script": self._script, "forget": self._forget}

    async def settings(self, interaction: Interaction, variant: str | None) -> None:
        """Show the person's script preference, after setting it if one is given."""
        if variant is not None:
            await self._prefer(interaction, chosen(variant))
        await interaction.response.send_message(view=await self._card(interaction), ephemeral=True)

    async def forget(self, interaction: Interaction) -> None:
        language = language_of_locale(interaction.locale.value)
        sure = button(text(language, "button.forget"), "forget", style=discord.ButtonStyle.danger)
        view = card(Words(text(language, "forget.ask")), Row([sure]))
        await interaction.response.send_message(view=view, ephemeral=True)

    async def help(self, interaction: Interaction) -> None:
        language = language_of_locale(interaction.locale.value)
        await interaction.response.send_message(view=help_card(language), ephemeral=True)

    async def _script(self, interaction: Interaction, choice: str, _: str) -> None:
        await self._prefer(interaction, chosen(choice))
        await interaction.response.edit_message(view=await self._card(interaction))

    async def _forget(self, interaction: Interaction, _: str, __: str) -> None:
        person = self._desk.memory.person(interaction.user.id)
        await self._desk.remember(self._desk.memory.forget, person)
        language = language_of_locale(interaction.locale.value)
        await interaction.response.edit_message(view=card(Words(text(language, "forget.done"))))

    async def _prefer(self, interaction: Interaction, variant: Variant | None) -> None:
        person = self._desk.memory.person(interaction.user.id)
        await self._desk.remember(self._desk.memory.prefer, person, variant)

    async def _card(self, interaction: Interaction) -> ui.LayoutView:
        person = self._desk.memory.person(interaction.user.id)
        now = await self._desk.remember(self._desk.memory.variant_of, person) or "auto"
        return settings_card(now, language_of_locale(interaction.locale.value))


def settings_card(now: str, language: str) -> ui.LayoutView:
    """The three choices of a script, the present one marked."""
    buttons = [
        button(
            text(language, f"choice.{choice}"), "script", choice,
            style=discord.ButtonStyle.primary if choice == now else discord.ButtonStyle.secondary,
        )
        for choice in ("auto", "hant", "hans")
    ]  # fmt: skip
    told = text(language, "settings.now", choice=text(language, f"choice.{now}"))
    return card(Words(f"### {text(language, 'settings.title')}\n{told}"), Row(buttons))


def help_card(language: str) -> ui.LayoutView:
    """How to ask, what the buttons do, what is kept."""
    parts = ("asking", "buttons", "more", "privacy")
    blocks: list[Block] = [Words(f"### {text(language, 'help.title')}"), Rule()]
    blocks += [Words(text(language, f"help.{part}").strip()) for part in parts]
    (view,) = cards(blocks)
    return view


def add_personal(tree: "app_commands.CommandTree[Any]", personal: Personal) -> None:
    """`/settings`, `/forget`, `/help`."""

    @tree.command(**named("settings"))
    @app_commands.rename(**named.options("variant"))
    @app_commands.describe(**named.descriptions("variant"))
    @app_commands.choices(variant=named.choices("auto", "hant", "hans"))
    async def settings(interaction: discord.Interaction, variant: str | None = None) -> None:
        await personal.settings(interaction, variant)

    @tree.command(**named("forget"))
    async def forget(interaction: discord.Interaction) -> None:
        await personal.forget(interaction)

    @tree.command(name=named("help")["name"], description=named("help")["description"])
    async def show_help(interaction: discord.Interaction) -> None:
        await personal.help(interaction)
