"""What a person reads beside answers: passages in their place, searches, articles, traces."""

import shlex
from collections.abc import Iterator, Sequence
from typing import Any

import discord
from discord import app_commands, ui

from bot.asking import Asking
from bot.deep_link import usable
from bot.desk import Desk
from bot.errors import AnswerGone, NothingAskedYet
from bot.escape import code_block, line
from bot.gate import Place
from bot.language import language_for, language_of_locale
from bot.render import found_cards, passage_cards
from bot.shown import Shown, Source, found
from bot.term_cards import term_cards
from bot.texts import text
from bot.translator import named
from bot.views import Block, Interaction, Press, Row, Rule, Words, button, card, cards, link
from rag.content import ListedArticle
from rag.result import Found, Variant
from rag.trace import Trace
from rag.variant import resolve

_PAGE = 8  # articles
_QUERY, _WORD = 2000, 100
_WHY_HITS, _WHY_SENTENCES = 5, 3


class Reading:
    def __init__(self, asking: Asking) -> None:
        self._asking, self._desk, self._gate = asking, asking.desk, asking.gate

    def acts(self) -> dict[str, Press]:
        return {"open": self._open, "page": self._page}

    async def search(self, interaction: Interaction, query: str, count: int) -> None:
        """The nearest passages, for the asker alone."""
        self._asking.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer(thinking=True, ephemeral=True)
        result = await self._desk.read(self._desk.service.search, query, count)
        locale = interaction.locale.value
        variant = resolve(query, None, locale, self._desk.service.settings.variant)
        shown = search_state(query, result, variant, language_for(variant, None, query, locale))
        key = await keep_for(self._desk, interaction, shown)
        await show_later(interaction, found_cards(shown, key))

    async def sources(self, interaction: Interaction) -> None:
        self._gate.check_served(Place.of_interaction(interaction))
        await interaction.response.defer(thinking=True, ephemeral=True)
        await interaction.edit_original_response(view=await self._listing(interaction, 0))

    async def why(self, interaction: Interaction, question: str | None) -> None:
        """What decided the asker's last answer, or would decide that to another question."""
        self._asking.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer(thinking=True, ephemeral=True)
        history: Sequence[str] = ()
        if question is None:
            person = self._desk.memory.person(interaction.user.id)
            kept = await self._desk.remember(self._desk.memory.last_answer, person)
            if kept is None:
                raise NothingAskedYet
            question, history = kept.shown.question, kept.shown.history
        trace = await self._desk.read(self._desk.service.why, question, history)
        language = language_of_locale(interaction.locale.value)
        await show_later(interaction, why_cards(trace, history, language))

    async def term(self, interaction: Interaction, word: str) -> None:
        """A word in all its forms, for the asker alone."""
        self._asking.admit(Place.of_interaction(interaction), interaction.user.id)
        await interaction.response.defer(thinking=True, ephemeral=True)
        found = await self._desk.read(self._desk.service.look_up, word)
        locale = interaction.locale.value
        variant = resolve(word, None, locale, self._desk.service.settings.variant)
        language = language_of_locale(locale)
        await show_later(interaction, term_cards(found, variant, language))

    async def _open(self, interaction: Interaction, key: str, which: str) -> None:
        """A passage in its place, and what became of it since."""
        await interaction.response.defer(thinking=True, ephemeral=True)
        kept = await self._asking.kept(key)
        source = kept.shown.source(which)
        if source is None:
            raise AnswerGone
        now = await self._desk.read(self._desk.service.article_text, source.article_id)
        notice = changed_since(source, now)
        language = kept.shown.language
        views = passage_cards(source, language, text(language, notice) if notice else "")
        await show_later(interaction, views)

    async def _page(self, interaction: Interaction, page: str, _: str) -> None:
        self._gate.check_served(Place.of_interaction(interaction))
        await interaction.response.defer()
        view = await self._listing(interaction, int(page) if page.isdigit() else 0)
        await interaction.edit_original_response(view=view)

    async def _listing(self, interaction: Interaction, page: int) -> ui.LayoutView:
        articles = await self._desk.read(self._desk.service.articles)
        return sources_card(articles, page, language_of_locale(interaction.locale.value))


def changed_since(source: Source, now: str | None) -> str | None:
    """The key of the notice that is due when an article is not what it was; None if it is."""
    if now is None:
        return "passage.removed"
    if source.quote and source.quote not in now:
        return "passage.quote_changed"
    return None if source.passage in now else "passage.changed"


def search_state(query: str, result: Found, variant: Variant, language: str) -> Shown:
    """What a search showed, to be kept for its buttons."""
    return Shown(
        kind="search",
        question=query,
        history=(),
        variant=variant,
        language=language,
        status="answered",
        texts={"hant": "", "hans": ""},
        citations=(),
        nearest=tuple(found(hit, n) for n, hit in enumerate(result.hits, 1)),
        generation=result.generation,
        private=True,
    )


async def keep_for(desk: Desk, interaction: Interaction, shown: Shown) -> str:
    """Remember what is shown to who acted; its key."""
    person = desk.memory.person(interaction.user.id)
    return await desk.remember(desk.memory.keep, shown, person, interaction.channel_id)


async def show_later(interaction: Interaction, views: Sequence[ui.LayoutView]) -> None:
    """Show cards in place of "thinking", to the asker alone."""
    await interaction.edit_original_response(view=views[0])
    for view in views[1:]:
        await interaction.followup.send(view=view, ephemeral=True)


def sources_card(articles: Sequence[ListedArticle], page: int, language: str) -> ui.LayoutView:
    """One page of the list of articles, with buttons to its neighbours."""
    pages = max(1, -(-len(articles) // _PAGE))
    page = min(max(page, 0), pages - 1)
    title = text(language, "sources.title", count=len(articles))
    blocks: list[Block] = [Words(f"### {title}"), Rule()]
    for article in articles[page * _PAGE : (page + 1) * _PAGE]:
        blocks.append(_listed(article, language))
    if not articles:
        blocks.append(Words(text(language, "sources.none")))
    if pages > 1:
        blocks.append(Row(list(_turning(page, pages, language))))
    return card(*blocks)


def _listed(article: ListedArticle, language: str) -> Words:
    about = (article.author, (article.date or "")[:10])
    told = [line(part, 60) for part in about if part]
    told.append(text(language, "sources.passages", count=article.passages))
    shown = f"**{line(article.title, 120)}**\n-# {' · '.join(told)}"
    if article.url and usable(article.url):
        return Words(shown, link(text(language, "button.original"), article.url))
    return Words(shown)


def _turning(page: int, pages: int, language: str) -> Iterator[ui.Button[Any]]:
    yield button(
        text(language, "button.previous"), "page", str(max(page - 1, 0)), "b", disabled=page == 0
    )
    yield button(f"{page + 1} / {pages}", "page", str(page), "h", disabled=True)
    last = page == pages - 1
    yield button(
        text(language, "button.next"), "page", str(min(page + 1, pages - 1)), "f", disabled=last
    )


def why_cards(trace: Trace, history: Sequence[str], language: str) -> list[ui.LayoutView]:
    """The whole path of a question, and the line that goes it again."""
    facts = {
        "question": line(trace.question),
        "searched": line(trace.searched),
        "folded": line(trace.folded),
        "widened": _widened(trace),
        "kinds": line(", ".join(trace.kinds)) or "–",
        "weights": line(", ".join(f"{name} {weight:g}" for name, weight in trace.fusion.items())),
        "support": f"{trace.support:.3f} / {trace.threshold:.3f}",
        "generation": line(trace.generation),
    }
    shown = "\n".join(f"**{text(language, f'why.{key}')}** {value}" for key, value in facts.items())
    blocks: list[Block] = [Words(f"### {text(language, 'why.title')}\n{shown}"), Rule()]
    blocks.append(Words(f"**{text(language, 'why.hits')}**\n{_ranks(trace, language)}"))
    if trace.sentences:
        blocks.append(Words(f"**{text(language, 'why.sentences')}**\n{_sentences(trace)}"))
    blocks += [Rule(), Words(f"{text(language, 'why.again')}\n{code_block(again(trace, history))}")]
    return cards(blocks)


def again(trace: Trace, history: Sequence[str]) -> str:
    """The command line that shows the same trace."""
    earlier = [part for asked in history for part in ("--history", asked)]
    return shlex.join(["youju", "why", *earlier, "--", trace.question])


def _widened(trace: Trace) -> str:
    told = [f"{form} → {'、'.join(others[:6])}" for form, others in trace.forms.items() if others]
    return line("; ".join(told), 300) or "–"


def _ranks(trace: Trace, language: str) -> str:
    rows = []
    for place, hit in enumerate(trace.hits[:_WHY_HITS], 1):
        ranks = text(
            language, "why.ranks", score=f"{hit.score:.3f}", lexical=hit.lexical_rank or "–",
            dense=hit.dense_rank or "–",
        )  # fmt: skip
        heading = " › ".join(hit.passage.headings[-1:]) or hit.article.title
        rows.append(f"{place}\\. {line(heading, 40)} · {ranks}\n-# {line(hit.passage.text, 50)}")
    return "\n".join(rows) or "–"


def _sentences(trace: Trace) -> str:
    best = trace.sentences[:_WHY_SENTENCES]
    return "\n".join(f"`{sentence.score:6.2f}` {line(sentence.text, 80)}" for sentence in best)


def add_reading(tree: "app_commands.CommandTree[Any]", reading: Reading) -> None:
    """`/search`, `/sources`, `/why`, `/term`."""

    @tree.command(**named("search"))
    @app_commands.rename(**named.options("query", "count"))
    @app_commands.describe(**named.descriptions("query", "count"))
    async def search(
        interaction: discord.Interaction,
        query: app_commands.Range[str, 1, _QUERY],
        count: app_commands.Range[int, 1, 10] = 5,
    ) -> None:
        await reading.search(interaction, query, count)

    @tree.command(**named("sources"))
    async def sources(interaction: discord.Interaction) -> None:
        await reading.sources(interaction)

    @tree.command(**named("why"))
    @app_commands.rename(**named.options("question"))
    @app_commands.describe(question=named.describe("why_question"))
    async def why(
        interaction: discord.Interaction,
        question: app_commands.Range[str, 1, _QUERY] | None = None,
    ) -> None:
        await reading.why(interaction, question)

    @tree.command(**named("term"))
    @app_commands.rename(**named.options("word"))
    @app_commands.describe(**named.descriptions("word"))
    async def term(
        interaction: discord.Interaction, word: app_commands.Range[str, 1, _WORD]
    ) -> None:
        await reading.term(interaction, word)
