"""Cards of Components V2, cut into messages that Discord takes; and buttons that never grow old.

A button carries what it does and the id of its answer in its custom_id, nothing is kept in the
process: it works after a restart and in a message from last month.
"""

import re
from collections.abc import Awaitable, Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import discord
from discord import ui

from bot.errors_text import explain
from bot.escape import units, within
from bot.logs import a_question

Interaction = discord.Interaction[Any]
Press = Callable[[Interaction, str, str], Awaitable[None]]

ACCENT, REFUSED_ACCENT, TROUBLE_ACCENT = 0x3BA55D, 0xFAA61A, 0xED4245
DRAFT_ACCENT = 0x80848E
_UNITS, _COMPONENTS = 3900, 38  # Discord takes 4,000 and 40
_LABEL = 80
_CUSTOM_ID = re.compile(r"yj:(?P<act>[a-z]+):(?P<key>[\w-]*):(?P<argument>[\w-]*)")


# What stands on a card.


@dataclass(frozen=True, slots=True)
class Words:
    """Markdown, with a button beside it or without."""

    text: str
    button: "ui.Button[Any] | None" = None


@dataclass(frozen=True, slots=True)
class Row:
    """Up to five buttons, or one select."""

    items: Sequence["ui.Item[Any]"]


@dataclass(frozen=True, slots=True)
class Rule:
    """A line across."""


Block = Words | Row | Rule


def cards(blocks: Iterable[Block], accent: int = ACCENT) -> list[ui.LayoutView]:
    """The blocks in as few messages as hold them, in order. No block is divided."""
    views: list[ui.LayoutView] = []
    for group in _packed(list(blocks)):
        views.append(view := ui.LayoutView(timeout=None))
        view.add_item(ui.Container(*[_drawn(block) for block in group], accent_colour=accent))
        # Its buttons are served by `Act`; a view that listened would stay in memory for good.
        view.stop()
    return views


def card(*blocks: Block, accent: int = ACCENT) -> ui.LayoutView:
    """A card that is known to fit into one message."""
    (view,) = cards(blocks, accent)
    return view


def _packed(blocks: list[Block]) -> Iterator[list[Block]]:
    group: list[Block] = []
    length, count = 0, 1
    for block in blocks:
        if group and (length + _length(block) > _UNITS or count + _count(block) > _COMPONENTS):
            yield _trimmed(group)
            group, length, count = [], 0, 1
        group.append(block)
        length, count = length + _length(block), count + _count(block)
    if group:
        yield _trimmed(group)


def _trimmed(group: list[Block]) -> list[Block]:
    """Without lines at the edges."""
    while len(group) > 1 and isinstance(group[-1], Rule):
        group = group[:-1]
    while len(group) > 1 and isinstance(group[0], Rule):
        group = group[1:]
    return group


def _length(block: Block) -> int:
    return units(block.text) if isinstance(block, Words) else 0


def _count(block: Block) -> int:
    if isinstance(block, Row):
        return 1 + len(block.items)
    return 3 if isinstance(block, Words) and block.button else 1


def _drawn(block: Block) -> ui.Item[Any]:
    if isinstance(block, Row):
        return ui.ActionRow(*block.items)
    if isinstance(block, Rule):
        return ui.Separator()
    if block.button is None:
        return ui.TextDisplay(block.text)
    return ui.Section(ui.TextDisplay(block.text), accessory=block.button)


# Buttons.


def button(
    label: str,
    act: str,
    key: str = "",
    argument: str = "",
    style: discord.ButtonStyle = discord.ButtonStyle.secondary,
    *,
    emoji: str | None = None,
    disabled: bool = False,
) -> ui.Button[Any]:
    """A button that calls what is registered as `act` with its key and argument."""
    custom_id = f"yj:{act}:{key}:{argument}"
    return ui.Button(
        label=within(label, _LABEL), style=style, custom_id=custom_id, emoji=emoji,
        disabled=disabled,
    )  # fmt: skip


def link(label: str, url: str) -> ui.Button[Any]:
    return ui.Button(label=within(label, _LABEL), url=url)


def key_in(message: discord.Message) -> str | None:
    """The key of the answer that a message of ours shows."""
    if not message.components:
        return None
    for item in ui.LayoutView.from_message(message).walk_children():
        match = _CUSTOM_ID.fullmatch(getattr(item, "custom_id", None) or "")
        if match and match["key"]:
            return match["key"]
    return None


class Act(
    ui.DynamicItem[ui.Button[Any]],
    template=_CUSTOM_ID,
):
    """Any button of ours, in any message however old."""

    def __init__(self, item: ui.Button[Any], match: "re.Match[str]") -> None:
        super().__init__(item)
        self.act, self.key, self.argument = match["act"], match["key"], match["argument"]

    @classmethod
    async def from_custom_id(
        cls, _interaction: Interaction, item: ui.Item[Any], match: "re.Match[str]"
    ) -> "Act":
        assert isinstance(item, ui.Button)
        return cls(item, match)

    async def callback(self, interaction: Interaction) -> None:
        acts: Mapping[str, Press] = interaction.client.acts
        with a_question(button=self.act):
            try:
                await acts[self.act](interaction, self.key, self.argument)
            except Exception as error:
                await explain(interaction, error)
