"""What moderators do: rebuild the index, go back, look at it, say who is served."""

import asyncio
import logging
import time
from pathlib import Path
from typing import Any

import discord
from discord import app_commands

from bot.desk import Desk
from bot.errors import AlreadyRunning
from bot.errors_text import sentence_for
from bot.gate import Gate
from bot.index_keeper import IndexKeeper, Job
from bot.language import language_of_locale
from bot.memory import AccessRow, Rule, TargetKind
from bot.render import note_card, trouble_card
from bot.replies import InteractionReply, Lost
from bot.reports import access_card, report_cards, status_card, worse_questions
from bot.texts import text
from bot.translator import named
from bot.views import Interaction, Press, button
from rag.errors import CanaryFell

_log = logging.getLogger(__name__)
_BETWEEN = 1.5  # seconds between two edits of the progress


class Moderating:
    """Every act checks the permission of who acts; hiding a command is not relied on."""

    def __init__(self, desk: Desk, gate: Gate, keeper: IndexKeeper) -> None:
        self._desk, self._gate, self._keeper = desk, gate, keeper

    def acts(self) -> dict[str, Press]:
        return {"cancel": self._cancel}

    async def reindex(
        self, interaction: Interaction, dry_run: bool, full: bool, force: bool = False
    ) -> None:
        """Rebuild, with live progress, and report."""
        self._gate.check_moderates(interaction)
        if self._keeper.job is not None:
            raise AlreadyRunning
        language = language_of_locale(interaction.locale.value)
        reply = InteractionReply(interaction, private=False)
        try:
            await reply.start()
            work = asyncio.create_task(
                self._keeper.reindex(dry_run=dry_run, full=full, force=force)
            )
            await self._watch(work, reply, language)
        except Lost as lost:
            _log.warning("The report of a reindex has no place to go: %s", lost)

    async def _watch(
        self, work: "asyncio.Task[Any]", reply: InteractionReply, language: str
    ) -> None:
        """Edit the progress into the reply until the work is done, then the report."""
        told = ""
        while not work.done():
            await asyncio.wait({work}, timeout=_BETWEEN if told else 0.2)
            job = self._keeper.job
            if not work.done() and job is not None and (now := job.told(language)) != told:
                told = now
                await _still_watching(reply, told, job, language)
        try:
            report = work.result()
        except Exception as error:
            cancelled = "reindex.cancelled" if self._was_cancelled else ""
            told = text(language, cancelled) if cancelled else sentence_for(error, language)
            _log.warning("The reindex failed: %s", error)
            if isinstance(error, CanaryFell):
                told = f"{told}\n{worse_questions(error.worse, language)}"
            await reply.show([trouble_card(told)])
            return
        await reply.show(report_cards(report, language))

    async def rollback(self, interaction: Interaction) -> None:
        self._gate.check_moderates(interaction)
        if self._keeper.job is not None:
            raise AlreadyRunning  # behind it in the line, what it built would be taken back
        await interaction.response.defer(thinking=True)
        name = await self._desk.build(self._desk.service.rollback)
        language = language_of_locale(interaction.locale.value)
        view = note_card(text(language, "rollback.done", generation=name))
        await interaction.edit_original_response(view=view)

    async def status(self, interaction: Interaction) -> None:
        self._gate.check_moderates(interaction)
        await interaction.response.defer(thinking=True, ephemeral=True)
        stored = await self._desk.read(self._desk.service.status)
        counts = await self._desk.remember(self._desk.memory.counts)
        running = {
            "uptime": time.monotonic() - self._desk.began,
            "memory": memory_used(),
            "waiting": float(len(self._desk.line)),
            "gateway": 1000 * max(interaction.client.latency, 0.0),
        }
        language = language_of_locale(interaction.locale.value)
        view = status_card(stored, counts, running, sorted(self._desk.seconds), language)
        await interaction.edit_original_response(view=view)

    async def access(
        self, interaction: Interaction, rule: str | None,
        channel: Any | None, role: discord.Role | None,
    ) -> None:  # fmt: skip
        """Show the lists, after changing one if something is named."""
        self._gate.check_moderates(interaction)
        await interaction.response.defer(thinking=True, ephemeral=True)
        guild = interaction.guild_id or 0
        targets: list[tuple[TargetKind, Any]] = [("channel", channel), ("role", role)]
        for kind, target in targets:
            if rule is not None and target is not None:
                await self._change(guild, kind, target.id, rule)
        self._gate.rows = await self._desk.remember(self._desk.memory.access)
        rows = [row for row in self._gate.rows if row.guild == guild]
        view = access_card(rows, language_of_locale(interaction.locale.value))
        await interaction.edit_original_response(view=view)

    async def _change(self, guild: int, kind: TargetKind, target: int, rule: str) -> None:
        memory = self._desk.memory
        if rule == "clear":
            await self._desk.remember(memory.clear_access, guild, kind, target)
        else:
            verdict: Rule = "allow" if rule == "allow" else "deny"
            row = AccessRow(guild, kind, target, verdict)
            await self._desk.remember(memory.set_access, row)

    async def _cancel(self, interaction: Interaction, _: str, __: str) -> None:
        self._gate.check_moderates(interaction)
        self._keeper.cancel()
        await interaction.response.defer()

    @property
    def _was_cancelled(self) -> bool:
        return self._keeper.cancelled


async def _still_watching(reply: InteractionReply, told: str, job: Job, language: str) -> None:
    """Show the progress; that it cannot be shown just now does not end the work."""
    cancel = button(
        text(language, "button.cancel"), "cancel", style=discord.ButtonStyle.danger,
        disabled=job.cancel.is_set(),
    )  # fmt: skip
    try:
        await reply.note(note_card(told, cancel))
    except (Lost, discord.HTTPException, OSError) as error:
        _log.warning("The progress of the reindex could not be shown: %s", error)


def memory_used() -> float:
    """Megabytes that this process holds now; 0 where the system does not say."""
    try:
        pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    except (OSError, IndexError, ValueError):
        return 0.0
    import resource

    return pages * resource.getpagesize() / 1e6


def add_moderating(
    tree: "app_commands.CommandTree[Any]", moderating: Moderating, *, hidden: bool
) -> None:
    """`/reindex`, `/rollback`, `/status`, `/access`; `hidden` from who may not manage the server.

    They are not hidden when roles are configured: Discord could not show them to those roles.
    """

    @tree.command(**named("reindex"))
    @app_commands.guild_only()
    @app_commands.rename(**named.options("dry_run", "full", "force"))
    @app_commands.describe(**named.descriptions("dry_run", "full", "force"))
    async def reindex(
        interaction: discord.Interaction,
        dry_run: bool = False,
        full: bool = False,
        force: bool = False,
    ) -> None:
        await moderating.reindex(interaction, dry_run, full, force)

    @tree.command(**named("rollback"))
    @app_commands.guild_only()
    async def rollback(interaction: discord.Interaction) -> None:
        await moderating.rollback(interaction)

    @tree.command(**named("status"))
    @app_commands.guild_only()
    async def status(interaction: discord.Interaction) -> None:
        await moderating.status(interaction)

    @tree.command(**named("access"))
    @app_commands.guild_only()
    @app_commands.rename(**named.options("rule", "channel", "role"))
    @app_commands.describe(**named.descriptions("rule", "channel", "role"))
    @app_commands.choices(rule=named.choices("allow", "deny", "clear"))
    async def access(
        interaction: discord.Interaction,
        rule: str | None = None,
        channel: discord.TextChannel | discord.CategoryChannel | discord.Thread | None = None,
        role: discord.Role | None = None,
    ) -> None:
        await moderating.access(interaction, rule, channel, role)

    if hidden:
        for command in (reindex, rollback, status, access):
            command.default_permissions = discord.Permissions(manage_guild=True)
