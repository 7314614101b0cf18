"""A message held against the articles: what they say about each of its sentences.

It never says that a sentence is true. It shows the passage that speaks of it, and whether the
figures and the negation of the two agree; the reader judges.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import discord
from discord import app_commands, ui

from bot.asking import Asking, words_of
from bot.escape import line
from bot.gate import Place
from bot.language import language_for, language_of_locale
from bot.reading import keep_for, show_later
from bot.shown import Shown, found
from bot.texts import text
from bot.translator import named
from bot.views import Block, Interaction, Rule, Words, button, cards
from rag.errors import EmptyQuestion
from rag.fold import fold, has_words
from rag.result import Hit
from rag.service import Service
from rag.variant import resolve

_SENTENCES = 5  # of a message; each is a search of its own
_SHORTEST = 6  # letters of a sentence that says something
_SPEAKS_OF = 0.3  # share of the sentence's letter pairs that a sentence of the articles must have
_ENDS = re.compile(r"(?<=[。！？!?；;\n])")
_PASSAGE_ENDS = re.compile(r"(?<=[。！？!?；;\n])")
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*%?")
_DIGITS = str.maketrans("零〇一二三四五六七八九", "00123456789")
_CHINESE_NUMBER = re.compile(
    r"[一二三四五六七八九十百千]+(?=[年月日个位次家倍成篇种项条层点分秒%])"
)
# Folded. 不同, 不过, 不但 and the like deny nothing.
_NEGATION = re.compile(
    r"不(?![同过但仅只断少])|没|未(?!来)|并非|无法|无须|从不|\bnot?\b|\bnever\b|n't"
)

Verdict = str
NUMBERS_AGREE, NUMBERS_DIFFER = "check.numbers_agree", "check.numbers_differ"
NEGATION_DIFFERS, SAYS, SILENT = "check.negation_differs", "check.says", "check.silent"


@dataclass(frozen=True, slots=True)
class Checked:
    """A sentence, the sentence of the articles that speaks of it, and how they compare."""

    sentence: str
    verdict: Verdict
    hit: Hit | None = None
    quote: str = ""


def check(service: Service, message: str) -> list[Checked]:
    """Hold the sentences of a message against the articles; EmptyQuestion if it has none."""
    claims = list(_claims(message))
    if not claims:
        raise EmptyQuestion
    return [_checked(service, claim) for claim in claims[:_SENTENCES]]


def compare(claim: str, quote: str) -> Verdict:
    """How the figures and the negation of two sentences on one subject compare."""
    said, written = _numbers(claim), _numbers(quote)
    if said and written and not said <= written:
        return NUMBERS_DIFFER
    if bool(_NEGATION.search(fold(claim))) != bool(_NEGATION.search(fold(quote))):
        return NEGATION_DIFFERS
    return NUMBERS_AGREE if said and said <= written else SAYS


def alike(claim: str, sentence: str) -> float:
    """The share of the claim's letter pairs that the sentence has, 0 to 1."""
    wanted, there = _pairs(claim), _pairs(sentence)
    return len(wanted & there) / len(wanted) if wanted else 0.0


def _claims(message: str) -> Iterator[str]:
    for sentence in _ENDS.split(message):
        claim = sentence.strip()
        if len(re.findall(r"\w", claim)) >= _SHORTEST and has_words(claim):
            yield claim


def _checked(service: Service, claim: str) -> Checked:
    limit = service.settings.question_chars
    hits = service.search(claim[:limit], 5).hits
    rated = [
        (alike(claim, sentence), -place, sentence.strip(), hit)
        for place, hit in enumerate(hits)
        for sentence in _PASSAGE_ENDS.split(hit.passage.text)
        if sentence.strip()
    ]
    if not rated:
        return Checked(claim, SILENT)
    share, _, quote, hit = max(rated, key=lambda row: row[:2])
    if share < _SPEAKS_OF:
        return Checked(claim, SILENT)
    return Checked(claim, compare(claim, quote), hit, quote)


def _numbers(sentence: str) -> frozenset[str]:
    folded = fold(sentence)
    chinese = (_value(match) for match in _CHINESE_NUMBER.findall(folded))
    return frozenset(number.replace(",", "") for number in _NUMBER.findall(folded)) | set(chinese)


def _value(number: str) -> str:
    """十二 as 12, 三 as 3; longer ones only digit by digit."""
    if "百" in number or "千" in number:
        return number
    tens, ten, ones = number.rpartition("十")
    if not ten:
        return number.translate(_DIGITS)
    return f"{tens.translate(_DIGITS) or '1'}{ones.translate(_DIGITS) or '0'}"


def _pairs(sentence: str) -> frozenset[str]:
    letters = re.sub(r"\W", "", fold(sentence))
    return frozenset(letters[i : i + 2] for i in range(len(letters) - 1))


class Checking:
    def __init__(self, asking: Asking) -> None:
        self._asking, self._desk = asking, asking.desk

    async def check(self, interaction: Interaction, message: str) -> None:
        """For the asker alone: nobody is put right in public."""
        self._asking.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer(thinking=True, ephemeral=True)
        checked = await self._desk.read(check, self._desk.service, message)
        locale = interaction.locale.value
        variant = resolve(message, None, locale, self._desk.service.settings.variant)
        sources = tuple(
            replace(
                found(one.hit, n), quote=one.quote,
                start=one.hit.passage.start + one.hit.passage.text.index(one.quote),
                end=one.hit.passage.start + one.hit.passage.text.index(one.quote) + len(one.quote),
            )
            for n, one in enumerate((c for c in checked if c.hit), 1)
            if one.hit is not None
        )  # fmt: skip
        language = language_for(variant, None, message, locale)
        shown = Shown(
            kind="check", question=message, history=(), variant=variant, language=language,
            status="answered", texts={"hant": "", "hans": ""}, citations=(), nearest=sources,
            generation="", private=True,
        )  # fmt: skip
        key = await keep_for(self._desk, interaction, shown)
        language = language_of_locale(locale) if not locale.startswith("zh") else language
        await show_later(interaction, checked_cards(checked, key, language))


def checked_cards(checked: list[Checked], key: str, language: str) -> list[ui.LayoutView]:
    """Sentence by sentence: the claim, the mark, what the articles say."""
    blocks: list[Block] = [
        Words(f"### {text(language, 'check.title')}\n-# {text(language, 'check.caution')}")
    ]
    number = 0
    for one in checked:
        blocks.append(Rule())
        claim = f"❯ {line(one.sentence, 160)}\n**{text(language, one.verdict)}**"
        if one.hit is None:
            blocks.append(Words(claim))
            continue
        number += 1
        shown = f"{claim}\n> {line(one.quote, 300)}\n-# {line(one.hit.article.title, 100)}"
        open_button = button(text(language, "button.passage"), "open", key, f"n{number}")
        blocks.append(Words(shown, open_button))
    return cards(blocks)


def add_checking(tree: "app_commands.CommandTree[Any]", checking: Checking) -> None:
    """The message menu "check against the articles"."""

    @tree.context_menu(name=named.menu("check"))
    async def check_message(interaction: discord.Interaction, message: discord.Message) -> None:
        await checking.check(interaction, words_of(message))
