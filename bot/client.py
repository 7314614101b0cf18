"""The bot on Discord: one client that puts the parts together and hands events to them."""

import asyncio
import logging
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import discord
from discord import app_commands
from discord.ext import tasks

from bot.asking import Asking, add_asking
from bot.buttons import Buttons
from bot.checking import Checking, add_checking
from bot.desk import Desk
from bot.digest import Digest
from bot.errors_text import explain
from bot.gate import Gate
from bot.hearing import Hearing
from bot.index_keeper import IndexKeeper
from bot.learning import Learning, add_learning
from bot.moderating import Moderating, add_moderating
from bot.personal import Personal, add_personal
from bot.reading import Reading, add_reading
from bot.settings import BotSettings
from bot.translator import Translator
from bot.views import Act, Press

_log = logging.getLogger(__name__)
# Without a privileged intent: mentions of the bot, replies to it and direct messages carry their
# text all the same.
INTENTS = discord.Intents(guilds=True, guild_messages=True, dm_messages=True)
_FAREWELL = 6.0  # seconds for answers under way when the bot is told to end
_WRITING = 3.0  # of these, for those that a model writes; then what stands is shown
_LAST_WORDS = 2.0  # seconds for showing them, and the apologies


class YoujuBot(discord.AutoShardedClient):
    """Runs as many shards as the gateway asks for, usually one."""

    def __init__(self, desk: Desk, settings: BotSettings) -> None:
        super().__init__(
            intents=INTENTS,
            allowed_mentions=discord.AllowedMentions.none(),
            member_cache_flags=discord.MemberCacheFlags.none(),
            chunk_guilds_at_startup=False,
            max_messages=None,
        )
        self.desk, self._settings = desk, settings
        self.gate = Gate(settings)
        self.keeper = IndexKeeper(desk)
        self.tree: app_commands.CommandTree[Any] = app_commands.CommandTree(self)
        self.tree.error(self._explain)
        self.asking = Asking(desk, self.gate, self.keeper)
        self._hearing = Hearing(self.asking)
        self.digest = Digest(self, desk, settings.digest_channel)
        self.acts: Mapping[str, Press] = self._install()

    def _install(self) -> Mapping[str, Press]:
        reading = Reading(self.asking)
        checking = Checking(self.asking)
        personal = Personal(self.desk)
        moderating = Moderating(self.desk, self.gate, self.keeper)
        learning = Learning(self.desk, self.gate)
        add_asking(self.tree, self.asking)
        add_reading(self.tree, reading)
        add_checking(self.tree, checking)
        add_personal(self.tree, personal)
        hidden = not self._settings.moderator_roles
        add_moderating(self.tree, moderating, hidden=hidden)
        add_learning(self.tree, learning, hidden=hidden)
        parts = (Buttons(self.asking), reading, personal, moderating, learning)
        return {name: act for part in parts for name, act in part.acts().items()}

    async def setup_hook(self) -> None:
        """Once, after the login: what must stand before the first event."""
        self.gate.rows = await self.desk.remember(self.desk.memory.access)
        self.add_dynamic_items(Act)
        self.keeper.start(self.desk.service.settings.reindex_every)
        self._expire.start()
        self.digest.start()
        await self.tree.set_translator(Translator())
        await self._sync()

    async def on_ready(self) -> None:
        _log.info("Serving as %s in %d servers, %d shards.", self.user, len(self.guilds),
                  self.shard_count or 1)  # fmt: skip

    async def on_message(self, message: discord.Message) -> None:
        if self.user is not None and message.author.id != self.user.id:
            await self._hearing.heard(message, self.user)

    async def on_error(self, event: str, /, *_: Any, **__: Any) -> None:
        _log.exception("Trouble with the event %s.", event)

    async def farewell(self) -> None:
        """Finish what is being answered, apologise to who waits, and close."""
        self.keeper.end()
        self.keeper.cancel()
        asyncio.get_running_loop().call_later(_WRITING, self.asking.stops.end_writing)
        await self.desk.line.close(_FAREWELL)
        with suppress(TimeoutError):
            async with asyncio.timeout(_LAST_WORDS):
                while self.asking.under_way:  # noqa: ASYNC110 - it is over in a moment
                    await asyncio.sleep(0.05)
        await self.close()

    async def close(self) -> None:
        self._expire.cancel()
        self.digest.stop()
        self.keeper.end()
        await super().close()

    async def _sync(self) -> None:
        """Register the commands; those of one server at once, if one is set."""
        try:
            if self._settings.guild is None:
                await self.tree.sync()
            else:
                guild = discord.Object(self._settings.guild)
                self.tree.copy_global_to(guild=guild)
                await self.tree.sync(guild=guild)
        except discord.HTTPException as error:
            _log.error("The commands could not be registered (%s): those of before stay.", error)

    @tasks.loop(hours=24)
    async def _expire(self) -> None:
        if removed := await self.desk.remember(self.desk.memory.expire):
            _log.info("%d answers were older than what is kept.", removed)

    async def _explain(
        self, interaction: "discord.Interaction[Any]", error: app_commands.AppCommandError
    ) -> None:
        await explain(interaction, error)
