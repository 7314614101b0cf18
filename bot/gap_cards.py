"""What moderators read of gaps and judged answers: pages of a few each, with their buttons."""

from collections.abc import Iterator, Sequence
from typing import Any

import discord
from discord import ui

from bot.escape import line
from bot.gap_words import counts_of, day, places_of
from bot.gaps import Gap, State, text_of
from bot.judged import Verdict
from bot.texts import text
from bot.views import Block, Row, Rule, Words, button, card

GAPS, VERDICTS = 5, 3  # on a page
_REASONS = 3


def gaps_card(
    gaps: Sequence[Gap], page: int, state: State | None, language: str, note: str = ""
) -> ui.LayoutView:
    """One page; `page` outside the list is its nearest page."""
    pages = max(1, -(-len(gaps) // GAPS))
    page = min(max(page, 0), pages - 1)
    shown = state or "all"
    title = text(language, "gaps.title", count=len(gaps), state=text(language, f"choice.{shown}"))
    blocks: list[Block] = [Words(f"### {title}" + (f"\n{note}" if note else ""))]
    if not gaps:
        blocks.append(Words(text(language, "gaps.none")))
    for gap in gaps[page * GAPS : (page + 1) * GAPS]:
        blocks += [Rule(), Words(_told(gap, language)), Row(_marks(gap, shown, page, language))]
    if pages > 1:
        blocks += [Rule(), Row(list(turning("gaps", shown, page, pages, language)))]
    return card(*blocks)


def judged_card(
    verdicts: Sequence[Verdict], count: int, page: int, which: str, language: str
) -> ui.LayoutView:
    """One page of `count` answers."""
    pages = max(1, -(-count // VERDICTS))
    title = text(language, "judged.title", count=count, which=text(language, f"choice.{which}"))
    blocks: list[Block] = [Words(f"### {title}")]
    if not verdicts:
        blocks.append(Words(text(language, "judged.none")))
    for verdict in verdicts:
        blocks += [Rule(), Words(_judged(verdict, language)), Row(_makings(verdict, language))]
    if pages > 1:
        blocks += [Rule(), Row(list(turning("judged", which, page, pages, language)))]
    return card(*blocks)


def turning(act: str, which: str, page: int, pages: int, language: str) -> Iterator[ui.Button[Any]]:
    """Back, where one is, and on."""
    before, after = max(page - 1, 0), min(page + 1, pages - 1)
    back, on = text(language, "button.previous"), text(language, "button.next")
    yield button(back, act, str(before), f"{which}-b", disabled=page == 0)
    yield button(f"{page + 1} / {pages}", act, str(page), f"{which}-h", disabled=True)
    yield button(on, act, str(after), f"{which}-f", disabled=page == pages - 1)


def _told(gap: Gap, language: str) -> str:
    lines = [f"**{line(gap.question, 120)}**", f"-# {counts_of(gap, language)}"]
    if gap.wordings:
        also = " / ".join(line(wording, 40) for wording in gap.wordings[:2])
        lines.append(f"-# {text(language, 'gaps.also', wordings=also)}")
    if gap.nearest:
        near = " · ".join(line(place, 60) for place in places_of(gap, 2))
        lines.append(f"-# {text(language, 'gaps.nearest', places=near)}")
    return "\n".join(lines)


def _marks(gap: Gap, shown: str, page: int, language: str) -> list[ui.Button[Any]]:
    others: tuple[State, ...] = ("answered", "ignored") if gap.state == "open" else ("open",)
    return [
        button(
            text(language, f"button.gap_{state}"), "mark", str(gap.number),
            f"{state}-{shown}-{page}",
        )
        for state in others
    ]  # fmt: skip


def _judged(verdict: Verdict, language: str) -> str:
    shown = verdict.shown
    votes = f"👍 {verdict.helpful} · 👎 {verdict.unhelpful} · {day(verdict.at)} · `{verdict.id}`"
    said = shown.text if shown.status == "answered" else text(language, "judged.refused")
    lines = [f"**{line(text_of(shown), 120)}**", f"> {line(said, 200)}", f"-# {votes}"]
    for reason in verdict.reasons[-_REASONS:]:
        words = f"：{line(reason.words, 80)}" if reason.words else ""
        lines.append(f"-# {text(language, f'feedback.{reason.kind}')}{words}")
    return "\n".join(lines)


def _makings(verdict: Verdict, language: str) -> list[ui.Button[Any]]:
    """As it was answered where people found it right; else what would have been."""
    makings = []
    if verdict.helpful > verdict.unhelpful:
        label = text(language, "button.golden")
        style = discord.ButtonStyle.primary
        makings.append(button(label, "golden", verdict.id, "shown", style))
    makings.append(button(text(language, "button.golden_quote"), "golden", verdict.id, "quote"))
    makings.append(button(text(language, "button.golden_none"), "golden", verdict.id, "none"))
    return makings
