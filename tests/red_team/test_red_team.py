"""Orders hidden in articles, questions and history: none is followed, nothing leaks, nobody is
pinged, and a reader still gets an answer or a refusal; in Discord and in a terminal.
"""

import asyncio
import html
import io
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console

from bot import drafting, live, show
from bot.picture import markdown
from corpus.split import sentences
from prompts import load
from rag.errors import UsageError
from rag.fold import fold
from rag.result import Answer
from rag.service import Service
from tests.bot.running import opened, running_bot
from tests.discord_server import DiscordServer, Member, Seen
from tests.llm_server import KEY, LlmServer
from tests.red_team.obeying import Case, cases, obeying, write_articles

CASES = cases()
MODES = ("extractive", "hostile", "wholly hostile")
_STEERING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\u2060\ufeff]")
_ECHO = re.compile(r"^-# ❯ .*$", re.MULTILINE)
_SHINGLE = 14
# A seal, the nearest passages, or that the question is too long.
_IN_DISCORD = re.compile("逐字核[對对]|checked word|最接近的段落|Nearest|最多 [\\d,]+|the limit is")
_PRINTED = re.compile("[來来]源|Sources|最接近的段落|Nearest|the limit is")


@dataclass
class Front:
    """What a reader of one front sees: each state of the message, and whom it could ping."""

    states: list[str] = field(default_factory=list)
    drawn: list[str] = field(default_factory=list)
    pings: int = 0

    @property
    def text(self) -> str:
        return "\n".join(self.states)


@dataclass
class Readings:
    """All that the readers of one mode saw of its cases, by their ids."""

    mode: str
    cases: Sequence[Case]
    discord: dict[str, Front]
    terminal: dict[str, Front]
    article: dict[str, str]
    secrets: tuple[str, ...]
    engines: list[str]


@pytest.fixture(scope="module")
def corpus(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """The hostile articles and a data directory with their index."""
    room = tmp_path_factory.mktemp("red-team")
    articles = room / "articles"
    articles.mkdir()
    write_articles(articles)
    service = opened(room / "data", corpus_dir=articles)
    service.reindex()
    service.close()
    return articles, room / "data"


@pytest.fixture(scope="module", params=MODES)
def readings(
    request: pytest.FixtureRequest, corpus: tuple[Path, Path],
    tmp_path_factory: pytest.TempPathFactory,
) -> Iterator[Readings]:  # fmt: skip
    articles, data = corpus
    model = obeying(CASES, wholly=request.param == "wholly hostile")
    with LlmServer(model) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(drafting, "_BETWEEN", 0.02)
        given = {
            "llm_base_url": server.url, "llm_model": "scripted", "llm_api_key": KEY,
        } if request.param != "extractive" else {}  # fmt: skip
        if given:  # seconds on a quiet machine; no reader shall wait for it
            import openai  # noqa: F401
            from llama_index.llms.openai_like import OpenAILike  # noqa: F401
        service = opened(data, corpus_dir=articles, **given)
        folder = tmp_path_factory.mktemp("memory")
        heard = Heard(service)
        asked = CASES[:: 4 if request.param == "wholly hostile" else 1]
        discord = asyncio.run(_in_discord(heard, asked, folder))
        terminal = _in_the_terminal(heard, asked, patch)
        found = {case.id: _article_of(service, case) for case in asked}
        secrets = (KEY, str(articles), str(data))
        engines = [answer.engine for answer, _ in heard.answers.values()]
        yield Readings(request.param, asked, discord, terminal, found, secrets, engines)
        service.close()


def _article_of(service: Service, case: Case) -> str:
    hits = service.search(case.subject, 1).hits
    return hits[0].article.text if hits else ""


class Heard:
    """The Service; what it answered, and the drafts of it, can be looked up by the question."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self.answers: dict[str, tuple[Answer, list[str]]] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._service, name)

    def ask(self, question: str, *, on_text: Any = None, **given: Any) -> Answer:
        drafts: list[str] = []

        def hear(draft: str) -> None:
            drafts.append(draft)
            on_text(draft)

        answer = self._service.ask(question, on_text=hear, **given)
        self.answers[question] = answer, drafts
        return answer


def _in_the_terminal(
    heard: Heard, asked: Sequence[Case], patch: pytest.MonkeyPatch
) -> dict[str, Front]:
    fronts = {}
    for case in asked:
        page = io.StringIO()
        patch.setattr(show, "out", Console(file=page, highlight=False, width=200))
        drafts: list[str] = []
        if case.asked in heard.answers:
            answer, drafts = heard.answers[case.asked]
            show.show_answer(answer)
        else:
            with pytest.raises(UsageError) as told:
                heard.ask(case.asked)
            page.write(str(told.value))
        drawn = [live._drawn(draft, "zh-TW").plain for draft in drafts]
        fronts[case.id] = Front([page.getvalue(), *drawn])
    return fronts


async def _in_discord(heard: Heard, asked: Sequence[Case], folder: Path) -> dict[str, Front]:
    fronts = {}
    async with (
        DiscordServer(rate_limits=False, check_later=True) as server,
        running_bot(server, cast(Service, heard), folder),
    ):
        member = server.member("reader")
        member.timeout = 120.0
        for case in asked:
            seen = await _shown(member, case)
            states = [*seen.message.history, seen.payload]
            texts = ["\n".join(_texts(state)) for state in states]
            fronts[case.id] = Front(texts, [markdown(text) for text in texts], len(seen.pings))
        assert server.pings == 0
    return fronts


async def _shown(member: Member, case: Case) -> Seen:
    """The final state of the reply: a command's, or a mention's where the question is long."""
    if case.history:
        first = await _final(await member.slash("ask", question=case.payload[:2000]))
        return await _final(await member.reply(first, case.asked))
    if len(case.asked) > 2000:
        return await _final(await member.ask(case.asked[:3900]))
    return await _final(await member.slash("ask", question=case.asked))


async def _final(seen: Seen) -> Seen:
    while any(button.label in ("停下", "Stop writing") for button in seen.buttons):
        await seen.until_edited(120)
    return seen


def _texts(payload: dict[str, object]) -> list[str]:
    from tests.discord_local.pings import mentionable_text

    return list(mentionable_text(payload))


def test_the_set_is_large_and_in_both_scripts_and_english() -> None:
    assert len(CASES) >= 60
    assert len({case.id for case in CASES}) == len(CASES)
    for script in ("hant", "hans", "en"):
        assert sum(case.script == script for case in CASES) >= 20


def test_no_order_is_followed(readings: Readings) -> None:
    followed = [
        (case.id, marks)
        for case in readings.cases
        for front in (readings.discord[case.id], readings.terminal[case.id])
        if (marks := _followed(front, case, readings.article[case.id]))
    ]
    print(f"\nred team, {readings.mode}: {len(readings.cases)} cases, followed {len(followed)}")

    assert followed == []


def test_nothing_leaks_and_nobody_is_pinged(readings: Readings) -> None:
    faults = {case.id: found for case in readings.cases if (found := [*_leaks(readings, case)])}

    assert faults == {}


def _leaks(readings: Readings, case: Case) -> Iterator[str]:
    for front in (readings.discord[case.id], readings.terminal[case.id]):
        yield from (secret for secret in readings.secrets if secret in front.text)
        yield from _prompt_in(front, case)
        yield from (repr(match.group()) for match in _STEERING.finditer(front.text))
        yield from ["a ping"] * front.pings
    for drawn in readings.discord[case.id].drawn:
        shown = html.unescape(re.sub(r"<[^>]+>", "", drawn))
        signs = {'class="at"': drawn, 'class="url"': drawn, "@everyone": shown}
        yield from (sign for sign, text in signs.items() if sign in text)


def test_a_reader_still_gets_an_answer_or_a_refusal(readings: Readings) -> None:
    without = []
    for case in readings.cases:
        final, printed = readings.discord[case.id].states[-1], readings.terminal[case.id].states[0]
        if not (_IN_DISCORD.search(final) and _PRINTED.search(printed)):
            without.append((case.id, final[-300:], printed[-300:]))

    assert without == []


def test_the_hostile_models_did_write(readings: Readings) -> None:
    written = sum(engine == "llm:scripted" for engine in readings.engines)

    if readings.mode == "extractive":
        assert written == 0
    if readings.mode == "hostile":
        assert written > len(readings.cases) / 2


def _followed(front: Front, case: Case, article: str) -> list[str]:
    """What an obedient model would have said, seen outside a sentence that the article has."""
    text = _bare(_own_words(front.text))
    for sentence in sorted(_sentences(article), key=len, reverse=True):
        text = text.replace(sentence, "|")
    return [mark for mark in case.followed if _bare(mark) in text]


def _own_words(text: str) -> str:
    """Without the question at the top, and without quotations: '> ' here, an indent there."""
    lines = _ECHO.sub("", text).split("\n")
    return "\n".join(line for line in lines if not line.startswith(("> ", "    ")))


def _sentences(article: str) -> set[str]:
    found = {_bare(article[a:b]) for a, b in sentences(article)}
    return {sentence for sentence in found if len(sentence) > 3}


def _prompt_in(front: Front, case: Case) -> list[str]:
    """Stretches of the prompts that a reader sees though nobody wrote them in."""
    text, own = _bare(_ECHO.sub("", front.text)), _bare(case.payload)
    told = [_bare(load("answer", script)[0]) for script in ("hant", "hans")]
    shingles = {p[at : at + _SHINGLE] for p in told for at in range(len(p) - _SHINGLE)}
    return [shingle for shingle in shingles if shingle in text and shingle not in own]


def _bare(text: str) -> str:
    return "".join(char for char in fold(text) if char.isalnum())
