"""A real discord.py client with one of everything, for the tests of the local Discord itself."""

import asyncio
from typing import Any

import discord
from discord import app_commands, ui

INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
ZH = {"zh-TW": {"ask": "問", "message": "問這則"}, "zh-CN": {"ask": "问", "message": "问这条"}}


class Translator(app_commands.Translator):
    async def translate(
        self, string: app_commands.locale_str, locale: discord.Locale, _: Any
    ) -> str | None:
        return ZH.get(locale.value, {}).get(string.message)


class Flip(ui.DynamicItem[ui.Button[Any]], template=r"flip:(?P<to>繁|简)"):
    def __init__(self, to: str) -> None:
        super().__init__(ui.Button(label=to, custom_id=f"flip:{to}"))
        self.to = to

    @classmethod
    async def from_custom_id(cls, _interaction: Any, _item: Any, match: Any) -> "Flip":
        return cls(match["to"])

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.edit_message(view=page(f"改成{self.to}體", self.to))


class Reason(ui.Modal, title="哪裡不對？"):
    why: Any = ui.Label(text="原因", component=ui.TextInput(custom_id="why", max_length=20))

    async def on_submit(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_message(f"謝謝：{self.why.component.value}", ephemeral=True)


class Choice(ui.ActionRow[Any]):
    @ui.select(
        placeholder="選一個",
        custom_id="choice",
        options=[discord.SelectOption(label="甲", value="a"), discord.SelectOption(label="乙")],
    )
    async def choose(self, interaction: discord.Interaction, select: ui.Select[Any]) -> None:
        await interaction.response.defer()
        await interaction.followup.send(f"選了 {select.values[0]}", ephemeral=True)


class Bad(ui.Button[Any]):
    def __init__(self) -> None:
        super().__init__(label="沒幫助", custom_id="bad")

    async def callback(self, interaction: discord.Interaction) -> None:
        await interaction.response.send_modal(Reason())


def page(text: str, shown: str = "繁") -> ui.LayoutView:
    view = ui.LayoutView(timeout=None)
    open_button: ui.Button[Any] = ui.Button(label="看段落", custom_id="open:1", disabled=True)
    section = ui.Section(ui.TextDisplay("> 引文"), accessory=open_button)
    link: ui.Button[Any] = ui.Button(label="原文", url="https://example.org/")
    row: ui.ActionRow[Any] = ui.ActionRow(Flip("简" if shown == "繁" else "繁"), Bad(), link)
    view.add_item(ui.Container(ui.TextDisplay(text), ui.Separator(), section, row, Choice()))
    return view


def little_bot(kind: type[discord.Client] = discord.Client, **options: Any) -> discord.Client:
    safe: Any = {"intents": INTENTS, "allowed_mentions": discord.AllowedMentions.none()}
    client = kind(**(safe | options))
    tree: app_commands.CommandTree[Any] = app_commands.CommandTree(client)

    @tree.command(name=app_commands.locale_str("ask"), description="Ask a question")
    async def ask(interaction: discord.Interaction, question: str, private: bool = False) -> None:
        await interaction.response.defer(thinking=True, ephemeral=private)
        await interaction.edit_original_response(view=page(question))

    @tree.command(description="Answer after some seconds")
    async def slow(interaction: discord.Interaction, seconds: float) -> None:
        await asyncio.sleep(seconds)
        await interaction.response.send_message("慢慢來")

    @tree.command(description="For moderators")
    @app_commands.default_permissions(manage_guild=True)
    async def reindex(interaction: discord.Interaction) -> None:
        assert interaction.permissions.manage_guild
        await interaction.response.send_message("好")

    @tree.context_menu(name=app_commands.locale_str("message"))
    async def about(interaction: discord.Interaction, message: discord.Message) -> None:
        await interaction.response.send_message(f"「{message.content}」", ephemeral=True)

    @client.event
    async def on_message(message: discord.Message) -> None:
        if message.author == client.user or not message.content:
            return
        if "thread" in message.content:
            thread = await message.create_thread(name="續談")
            await thread.send("在這裡談")
        else:
            await message.reply(f"聽到：{message.content}")

    @client.event
    async def setup_hook() -> None:
        client.add_dynamic_items(Flip)
        client.add_view(page("", "繁"))
        await tree.set_translator(Translator())
        await tree.sync()

    return client
