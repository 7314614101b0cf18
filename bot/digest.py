"""The weekly digest: what was asked, what is missing, what did not help; no person is named.

One post a week, from Monday 09:00 UTC on, about the seven days before. The week is claimed in the
memory before it is posted, so that a restart does not post it again; a bot that is killed in that
moment leaves the week out. What was asked for the asker's eyes only is counted, never quoted.
"""

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import discord
from discord import ui
from discord.ext import tasks

from bot.desk import Desk
from bot.escape import line
from bot.gap_words import day
from bot.gaps import Gap, text_of
from bot.judged import Verdict
from bot.language import language_of_locale
from bot.memory import Counts
from bot.texts import text
from bot.views import Block, Rule, Words, card

_log = logging.getLogger(__name__)
_WEEK, _HOUR = 7 * 24 * 3600.0, 3600.0
_FROM = 9 * _HOUR  # after midnight of Monday, UTC
_GAPS, _WORST = 5, 3


class Digest:
    """Posts into `channel`, an id; nothing without one. `now` gives seconds since 1970."""

    def __init__(
        self, client: discord.Client, desk: Desk, channel: int | None,
        now: Callable[[], float] = time.time,
    ) -> None:  # fmt: skip
        self._client, self._desk, self._channel, self.now = client, desk, channel, now

    def start(self) -> None:
        if self._channel is not None:
            self._hourly.start()

    def stop(self) -> None:
        self._hourly.cancel()

    @tasks.loop(hours=1)
    async def _hourly(self) -> None:
        await self._client.wait_until_ready()
        try:
            await self.post_if_due()
        except Exception:  # a loop that fell would never post again
            _log.exception("The digest failed; it is tried again in an hour.")

    async def post_if_due(self) -> bool:
        """Post the digest of this week unless it was; whether it was posted now."""
        now, channel, desk = self.now(), self._channel, self._desk
        if channel is None:
            return False
        week = week_of(now)
        if not await desk.remember(desk.memory.claim_digest, channel, week):
            return False
        try:
            posted = await self._post(channel, now)
        except (discord.DiscordException, OSError) as error:
            _log.warning("The digest could not be posted, it is tried again: %s", error)
            posted = False
        if not posted:
            await desk.remember(desk.memory.release_digest, channel, week)
        return posted

    async def _post(self, ident: int, now: float) -> bool:
        """Whether there was something to tell."""
        channel: Any = self._client.get_channel(ident) or await self._client.fetch_channel(ident)
        guild = channel.guild
        memory, remember = self._desk.memory, self._desk.remember
        since = now - _WEEK
        counts = await remember(memory.counts, guild.id, since)
        if not counts.answered + counts.refused:
            return False
        gaps = await remember(memory.gaps.listed, "open", guild.id, private=False)
        worst = await remember(
            memory.judged.listed, False, guild.id,
            most=_WORST, since=since, private=False, worst=True,
        )  # fmt: skip
        new = [gap for gap in gaps if gap.first >= since]
        language = language_of_locale(guild.preferred_locale.value)
        view = digest_card(counts, new, worst, (since, now), language)
        await channel.send(view=view, allowed_mentions=discord.AllowedMentions.none())
        return True


def week_of(now: float) -> str:
    """The week whose digest is due at a time; a week begins on Monday 09:00 UTC."""
    year, week, _ = datetime.fromtimestamp(now - _FROM, UTC).isocalendar()
    return f"{year}-W{week:02}"


def digest_card(
    counts: Counts, new: list[Gap], worst: list[Verdict], between: tuple[float, float],
    language: str,
) -> ui.LayoutView:  # fmt: skip
    """Counts, the new gaps most asked, the answers found unhelpful most often."""
    first, last = (day(seconds) for seconds in between)
    told = text(
        language, "digest.counts", asked=counts.answered + counts.refused,
        answered=counts.answered, refused=counts.refused,
        helpful=counts.helpful, unhelpful=counts.unhelpful,
    )  # fmt: skip
    title = text(language, "digest.title", first=first, last=last)
    blocks: list[Block] = [Words(f"### {title}\n{told}")]
    if new:
        rows = [_gap(gap, language) for gap in new[:_GAPS]]
        head = text(language, "digest.new", count=len(new))
        blocks += [Rule(), Words("\n".join([f"**{head}**", *rows]))]
    if worst:
        asked = ((line(text_of(verdict.shown), 100), verdict.unhelpful) for verdict in worst)
        rows = [f"- {question} · 👎 {unhelpful}" for question, unhelpful in asked]
        blocks += [Rule(), Words("\n".join([f"**{text(language, 'digest.worst')}**", *rows]))]
    blocks += [Rule(), Words(f"-# {text(language, 'digest.more')}")]
    return card(*blocks)


def _gap(gap: Gap, language: str) -> str:
    return f"- {line(gap.question, 100)} · {text(language, 'digest.times', count=gap.count)}"
