"""Every word that people read is there in all three languages."""

import ast
import inspect
import re
from pathlib import Path
from string import Formatter
from typing import Any

import pytest

from bot import errors as bot_errors
from bot import texts
from bot.errors_text import SENTENCES, sentence_for
from bot.texts import LANGUAGES, sentences
from bot.unreadable import why_unreadable
from rag import errors as rag_errors
from tests.bot.conftest import Run
from tests.conftest import ROOT
from tests.discord_server import DiscordServer

BOT = Path(texts.__file__).parent.parent
LOCALES = {"zh-TW", "zh-CN"}


def fields(sentence: str) -> set[str]:
    return {name for _, name, _, _ in Formatter().parse(sentence) if name}


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_language_has_the_same_keys_with_the_same_fields(language: str) -> None:
    told, english = sentences(language), sentences("en")

    assert told.keys() == english.keys()
    for key, sentence in told.items():
        assert sentence.strip(), key
        assert fields(sentence) == fields(english[key]), key


@pytest.mark.parametrize("language", LANGUAGES)
def test_commands_are_called_what_readers_of_the_language_are_shown(language: str) -> None:
    told = sentences(language)
    names = {name for key, name in told.items() if re.fullmatch(r"command\.\w+_name", key)}
    for key, sentence in told.items():
        assert set(re.findall(r"`/(\w+)`", sentence)) <= names, key


def literal_keys() -> set[str]:
    """Every "table.key" that the bot's source names."""
    tables = {key.split(".")[0] for key in sentences("en")}
    found = set()
    for path in BOT.glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                match = re.fullmatch(r"(\w+)\.(\w+)", node.value)
                if match and match[1] in tables:
                    found.add(node.value)
    return found


def test_every_key_that_the_source_names_exists() -> None:
    keys = sentences("en").keys()
    # One that ends with a dash is the beginning of several.
    missing = [named for named in literal_keys() if not any(k.startswith(named) for k in keys)]

    assert not missing


ERRORS = [
    error
    for module in (rag_errors, bot_errors)
    for _, error in inspect.getmembers(module, inspect.isclass)
    if issubclass(error, Exception) and error is not bot_errors.BotRefusal
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: error.__name__)
def test_every_error_has_a_sentence(error: type[Exception]) -> None:
    assert any(kind in SENTENCES for kind in error.__mro__)


SAMPLES: list[Exception] = [
    rag_errors.EmptyQuestion(), rag_errors.QuestionTooLong(3000, 2000),
    rag_errors.BuilderFailed("it broke"), rag_errors.NoIndex(),
    rag_errors.AllArticlesFailed(Path("/secret/folder"), 3, "broken"),
    rag_errors.CorpusMissing(Path("/secret/folder")), bot_errors.CoolingDown(2.4),
    bot_errors.QueueFull(50), bot_errors.TooManyWaiting(3), bot_errors.WaitedTooLong(60),
    ValueError("/secret/folder"),
]  # fmt: skip


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("error", SAMPLES, ids=lambda error: type(error).__name__)
def test_a_sentence_has_its_numbers_and_tells_no_path(error: Exception, language: str) -> None:
    told = sentence_for(error, language)

    assert "{" not in told
    assert "secret" not in told


def localised(thing: dict[str, Any], path: str) -> list[str]:
    """What of a command, its options and choices lacks a language."""
    lacking = []
    for part in ("name", "description"):
        if thing.get(part) and not set(thing.get(f"{part}_localizations") or {}) >= LOCALES:
            lacking.append(f"{path}.{part}")
    for kind in ("options", "choices"):
        for inner in thing.get(kind) or ():
            lacking += localised(inner, f"{path}.{inner['name']}")
    return lacking


async def test_every_command_option_and_choice_is_localised(
    run: Run, server: DiscordServer
) -> None:
    async with run():
        commands = server.world.commands[None]

    assert {c["name"] for c in commands} == {
        "ask", "search", "sources", "why", "settings", "forget", "help", "reindex", "rollback",
        "status", "access", "gaps", "feedback", "term", "Ask about this",
        "Check against the articles",
    }  # fmt: skip
    assert [lack for command in commands for lack in localised(command, command["name"])] == []


@pytest.mark.parametrize(
    ("locale", "names"),
    [("zh-TW", {"問", "問這則", "核對來源"}), ("zh-CN", {"问", "问这条", "核对来源"}),
     ("ja", {"ask", "Ask about this", "Check against the articles"})],
)  # fmt: skip
async def test_members_read_the_names_of_their_language(
    run: Run, server: DiscordServer, locale: str, names: set[str]
) -> None:
    async with run():
        commands = server.world.commands[None]

    shown = {(c.get("name_localizations") or {}).get(locale, c["name"]) for c in commands}
    assert names <= shown


async def test_commands_of_one_server_are_registered_there(run: Run, server: DiscordServer) -> None:
    async with run(guild=int(server.guild["id"])):
        assert len(server.world.commands[server.guild["id"]]) == 16
        assert not server.world.commands.get(None)


def reasons_of_corpus() -> set[str]:
    """What `corpus` says of files that it cannot read, with 1 for every part."""
    said: list[ast.expr | None] = []
    for path in (ROOT / "corpus").glob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "UnreadableFile":
                said.append(node.args[1])
            if isinstance(node, ast.FunctionDef) and node.name in ("_why", "_why_not"):
                said += [n.value for n in ast.walk(node) if isinstance(n, ast.Return)]
    return {words for expression in said if (words := literal(expression))}


def literal(expression: ast.expr | None) -> str:
    if isinstance(expression, ast.JoinedStr):
        return "".join(literal(part) or "1" for part in expression.values)
    if isinstance(expression, ast.BinOp):
        return literal(expression.left)
    return str(expression.value) if isinstance(expression, ast.Constant) else ""


def test_every_reason_why_a_file_cannot_be_read_has_a_sentence() -> None:
    told = {reason: why_unreadable(reason, "zh-TW") for reason in reasons_of_corpus()}

    assert len(told) > 18
    assert not [reason for reason, sentence in told.items() if not re.search("[一-鿿]", sentence)]
    assert why_unreadable("Input/output error", "zh-TW") == "Input/output error"
