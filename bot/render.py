"""An answer becomes cards: the text with its marks, a section a source, the seal, the buttons."""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import discord
from discord import ui

from bot.escape import line, plain, quoted, units
from bot.shown import Shown, Source
from bot.texts import tells_of_a_refusal, text, why_degraded
from bot.views import (
    ACCENT,
    REFUSED_ACCENT,
    TROUBLE_ACCENT,
    Block,
    Row,
    Rule,
    Words,
    button,
    card,
    cards,
    link,
)
from rag.fold import fold
from rag.result import Variant
from rag.variant import to_variant

_PART = 1800  # units of one piece of a long text
_WHOLE = 3000  # units of a passage that is shown in one piece, with its quotation in bold
_QUOTE = 600  # characters of a quotation shown in its section; the button shows all
_EXCERPT = 110
_NEAREST = 3
_LINKS = 5
_MARK = re.compile(r"\[(\d+)\]")
_BEFORE = 8  # characters before a mark by which it is found in a quotation
_ENDS = re.compile(r"(?<=[。！？!?；;\n])|(?<=[。！？][」』”’）])")


def answer_cards(
    shown: Shown, key: str, *, threads: bool = True, again: bool = False
) -> list[ui.LayoutView]:
    """The messages of an answer; `key` is what it is remembered under.

    `threads`: a thread may be opened from it. `again`: a model answers, and may be asked again.
    """
    blocks = [*_question(shown), *_text(shown)]
    if shown.status == "answered":
        blocks += _sources(shown, key)
    else:
        blocks += _nearest(shown, key)
    blocks += _foot(shown)
    blocks.append(Row(_controls(shown, key, threads, again)))
    return cards(blocks, ACCENT if shown.status == "answered" else REFUSED_ACCENT)


def note_card(sentence: str, *buttons: ui.Button[Any]) -> ui.LayoutView:
    """One sentence while something is under way."""
    return card(Words(sentence), *([Row(buttons)] if buttons else []))


def trouble_card(sentence: str) -> ui.LayoutView:
    return card(Words(sentence), accent=TROUBLE_ACCENT)


def found_cards(shown: Shown, key: str) -> list[ui.LayoutView]:
    """A search: the passages, best first, and no answer."""
    language = shown.language
    title = text(language, "search.title", query=line(shown.question, 100))
    blocks: list[Block] = [Words(f"### {title}")]
    for source in shown.nearest:
        blocks.append(_excerpt(source, key, language, numbered=True))
    if not shown.nearest:
        blocks.append(Words(text(language, "search.nothing")))
    return cards(blocks)


def passage_cards(source: Source, language: str, notice: str = "") -> list[ui.LayoutView]:
    """A passage in its place, the quotation in bold, with what stands before and after it."""
    start = source.start - source.passage_start
    end = source.end - source.passage_start
    inside = source.quote and 0 <= start < end <= len(source.passage)
    parts = (
        (source.passage[:start], source.quote, source.passage[end:])
        if inside
        else (source.passage, "", "")
    )
    blocks: list[Block] = [Words(f"### {_title(source)}\n{_about(source, language)}")]
    if notice:
        blocks.append(Words(f"⚠️ {notice}"))
    blocks += _aside(source.before, text(language, "passage.before"))
    marked = _marked(parts)
    if units(marked) <= _WHOLE:
        blocks.append(Words(marked))
    else:
        blocks += [Words(quoted(piece)) for piece in split_at_sentences(source.passage)]
    blocks += _aside(source.after, text(language, "passage.after"))
    if source.link:
        blocks.append(Row([link(text(language, "button.original"), source.link)]))
    return cards(blocks)


def split_at_sentences(whole: str, limit: int = _PART) -> list[str]:
    """Pieces that join to the whole, each of at most `limit` units once it is escaped."""
    pieces: list[str] = []
    piece = ""
    for sentence in _ENDS.split(whole):
        for part in _hard_split(sentence, limit):
            if piece and units(plain(piece + part)) > limit:
                pieces.append(piece)
                piece = ""
            piece += part
    return [*pieces, piece] if piece else pieces


def _hard_split(sentence: str, limit: int) -> Iterator[str]:
    """A sentence that is longer than a piece is cut where it must be."""
    while units(plain(sentence)) > limit:
        size = limit // 2
        while size > 1 and units(plain(sentence[:size])) > limit:
            size //= 2
        yield sentence[:size]
        sentence = sentence[size:]
    yield sentence


# The parts of an answer's card.


def _question(shown: Shown) -> Iterator[Block]:
    yield Words(f"-# ❯ {line(shown.question, 160)}")


def _text(shown: Shown) -> Iterator[Block]:
    for piece in split_at_sentences(shown.text):
        if piece.strip():
            yield Words(_with_marks(piece, shown))


def _with_marks(piece: str, shown: Shown) -> str:
    """Escaped, but for the marks that point to a source; a number in a quotation is none."""
    numbers = {str(citation.n) for citation in shown.citations}
    quotes = [_bare(citation.quote) for citation in shown.citations]
    parts, last = [], 0
    for mark in _MARK.finditer(piece):
        read = _bare(piece[max(0, mark.start() - _BEFORE) : mark.end()])
        ours = mark[1] in numbers and not any(read in quote for quote in quotes)
        parts += [plain(piece[last : mark.start()]), f"\\[{mark[1]}\\]"]
        if ours:
            parts[-1] = f"**{parts[-1]}** "
        last = mark.end()
    return "".join([*parts, plain(piece[last:])]).rstrip(" ")


def _bare(words: str) -> str:
    """Folded and without spaces: the same in a quotation and in what is written of it."""
    return "".join(fold(words).split())


def _sources(shown: Shown, key: str) -> Iterator[Block]:
    yield Rule()
    for place, source in enumerate(shown.citations, 1):
        yield _section(source, key, f"c{place}", shown.language)
    numbers: dict[str, list[str]] = {}
    for source in shown.citations:
        if source.link:
            numbers.setdefault(source.link, []).append(f"[{source.n}]")
    original = text(shown.language, "button.original")
    links = [link(f"{''.join(marks)} {original}", url) for url, marks in numbers.items()]
    for start in range(0, len(links), _LINKS):
        yield Row(links[start : start + _LINKS])


def _section(source: Source, key: str, which: str, language: str) -> Words:
    quotation = source.quote
    if len(quotation) > _QUOTE:
        quotation = quotation[:_QUOTE] + "…"
    shown = (
        f"**\\[{source.n}\\] {_title(source)}**\n{quoted(quotation)}\n{_about(source, language)}"
    )
    return Words(shown, button(text(language, "button.passage"), "open", key, which))


def _nearest(shown: Shown, key: str) -> Iterator[Block]:
    nearest = shown.nearest[:_NEAREST]
    if not nearest:
        return
    yield Rule()
    yield Words(f"**{text(shown.language, 'answer.nearest')}**")
    for source in nearest:
        yield _excerpt(source, key, shown.language)
    yield Words(f"**{text(shown.language, 'answer.could_ask')}**")
    first = {topic_of(source, shown.variant): source for source in reversed(nearest)}
    topics = dict(reversed(first.items()))
    yield Row(
        [
            button(topic, "topic", key, f"n{source.n}", discord.ButtonStyle.primary)
            for topic, source in topics.items()
        ]
    )


def _excerpt(source: Source, key: str, language: str, *, numbered: bool = False) -> Words:
    number = f"{source.n}. " if numbered else ""
    note = f"\n{source.note}" if source.note else ""
    shown = f"**{number}{_title(source)}**\n> {line(source.passage, _EXCERPT)}{note}"
    return Words(shown, button(text(language, "button.passage"), "open", key, f"n{source.n}"))


def _foot(shown: Shown) -> Iterator[Block]:
    lines = [f"-# {told}" for told in (_seal(shown), _author(shown)) if told]
    if lines:
        yield Rule()
        yield Words("\n".join(lines))


def _seal(shown: Shown) -> str:
    """What was checked; of a model's answer, how many of the quotes that it gave stand."""
    if not shown.citations:
        return ""
    whole = shown.verified == len(shown.citations)
    counted = shown.quotes if shown.quotes and whole else (shown.verified, len(shown.citations))
    told = text(shown.language, "answer.seal", verified=counted[0], total=counted[1])
    left_out = text(shown.language, "answer.left_out") if whole and counted[0] < counted[1] else ""
    return " · ".join(filter(None, (f"{'✓' if whole else '⚠️'} {told}", left_out)))


def _author(shown: Shown) -> str:
    """Which model wrote it, or what the answer had to do without."""
    told = []
    if shown.engine.startswith("llm:"):
        model = line(shown.engine.removeprefix("llm:"), 60)
        told.append(text(shown.language, "answer.by_model", model=model))
    if shown.degraded and (shown.citations or tells_of_a_refusal(shown.degraded)):
        told.append(why_degraded(shown.degraded, shown.language))
    return " · ".join(told)


def _controls(shown: Shown, key: str, threads: bool, again: bool) -> list[ui.Button[Any]]:
    language = shown.language
    other = "简" if shown.variant == "hant" else "繁"
    controls = [
        button(other, "flip", key, "hans" if shown.variant == "hant" else "hant"),
        button(text(language, "button.good"), "good", key, emoji="👍"),
        button(text(language, "button.bad"), "bad", key, emoji="👎"),
    ]
    if threads and not shown.private:
        controls.append(button(text(language, "button.thread"), "thread", key, emoji="💬"))
    if again:
        controls.append(
            button(
                text(language, "button.again"), "again", key, style=discord.ButtonStyle.secondary
            )
        )
    return controls


# Pieces of text.


def topic_of(source: Source, variant: Variant) -> str:
    """What a passage is about, in a few words and the asker's script: its innermost heading."""
    return to_variant((source.heading or source.title).split(" › ")[-1], variant)


def _title(source: Source) -> str:
    return line(" › ".join(filter(None, (source.title, source.heading))), 140)


def _about(source: Source, language: str) -> str:
    place = text(language, "answer.characters", start=source.start, end=source.end)
    told = (source.author, (source.date or "")[:10], place if source.quote else "")
    shown = " · ".join(line(part, 60) for part in told if part)
    return f"-# {shown}" if shown else "-# \u200b"


def _aside(stretch: str, label: str) -> Sequence[Block]:
    """What stands around a passage, in small print."""
    if not stretch:
        return []
    lines = [f"-# {plain(part)}" for part in stretch.split("\n") if part.strip()]
    return [Words("\n".join([f"-# **{label}**", *lines]))]


def _marked(parts: tuple[str, str, str]) -> str:
    before, quotation, after = parts
    bold = "\n".join(
        f"**{part.strip()}**" if part.strip() else "" for part in plain(quotation).split("\n")
    )
    whole = f"{plain(before)}{bold if quotation else ''}{plain(after)}"
    return "\n".join(f"> {part}" if part.strip() else "> \u200b" for part in whole.split("\n"))
