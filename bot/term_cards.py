"""A word in all its forms, as cards."""

from discord import ui

from bot.escape import line, plain
from bot.texts import text
from bot.views import Block, Rule, Words, cards
from rag.result import Variant
from rag.term_lookup import Group, Lookup, Place

_GROUPS, _FORMS, _AROUND = 6, 24, 60


def term_cards(lookup: Lookup, variant: Variant, language: str) -> list[ui.LayoutView]:
    """The forms in the reader's script, then the passages as they stand with the word in bold."""
    title = text(language, "term.title", word=line(lookup.word, 60))
    blocks: list[Block] = [Words(f"### {title}")]
    if not lookup.groups:
        blocks.append(Words(text(language, "term.unknown", word=line(lookup.word, 60))))
    blocks += [Words(_group(group, variant, language)) for group in lookup.groups[:_GROUPS]]
    blocks.append(Rule())
    if not lookup.places:
        blocks.append(Words(text(language, "term.nowhere")))
    else:
        blocks.append(Words(f"**{text(language, 'term.passages', count=lookup.count)}**"))
    blocks += [Words(_place(place)) for place in lookup.places]
    return cards(blocks)


def _group(group: Group, variant: Variant, language: str) -> str:
    shown = group.forms_in(variant)
    told = " · ".join(line(form, 60) for form in shown[:_FORMS])
    if not group.own:
        return told
    note = text(language, "term.own" if group.indexed else "term.fresh")
    return f"{told}\n-# {note}"


def _place(place: Place) -> str:
    passage = place.passage.text
    before, after = passage[: place.start], passage[place.end :]
    heading = " › ".join((place.article.title, *place.passage.headings[-1:]))
    told = (
        ("…" if len(before) > _AROUND else "") + plain(_flat(before[-_AROUND:])),
        f"**{plain(passage[place.start : place.end])}**",
        plain(_flat(after[:_AROUND])) + ("…" if len(after) > _AROUND else ""),
    )
    return f"-# {line(heading, 100)}\n> {''.join(told)}"


def _flat(stretch: str) -> str:
    return " ".join(stretch.split("\n"))
