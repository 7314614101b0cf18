"""Every command in the documents: run where it can be, and otherwise at least one that exists.

A command is a line of a fence marked `sh`, or of an unmarked one that begins with one of our
programs (after `$` in a session). What is not run has a reason, and its subcommand, flags, module
or make target are checked all the same.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
import typer

from bot.cli import app

_ROOT = Path(__file__).resolve().parents[1]
_DOCUMENTS = sorted(
    [*_ROOT.glob("README*.md"), _ROOT / "CONTRIBUTING.md", *_ROOT.glob("docs/*.md")]
)
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
_VARIABLE = re.compile(r"[A-Z][A-Z0-9_]*=")
_OURS = ("youju", "make", "python")
_SHELL = {"|", ">", ">>", "<", "&&", ";", "&"}

# Why a command of ours is not run; the first that fits.
_NOT_RUN = {
    r"\$\w": "it names a folder of yours",
    r"\.\.\.|…|<\w": "it has something to fill in",
    r"^youju gaps (answer|ignore|open)\b": "it names a gap of yours",
    r"\bYOUJU_(LLM|CHROMA)\w*=": "it needs a server",
    r"\bYOUJU_(EMBED|RERANK)_MODEL=": "it needs a model that is downloaded",
    r"\bYOUJU_CORPUS_DIR=": "it needs articles of yours",
    r"^make\b": "it sets up an environment of its own",
    r"^(\w+=\S+ )*(python|youju) .*\b(benchmarks|training)\b": "it takes long",
    r"\byouju bot\b": "it needs Discord",
    r"\s--watch\b": "it runs until it is stopped",
    r"^youju chat\b": "it talks with someone",
}
# Commands that may end otherwise than with 0 over the digests.
_OTHER_CODES = {"youju rollback": 4}  # when there is no generation before this one
_INPUTS = {"--against", "--passages", "--batch"}  # other options name a file to be written


@dataclass(frozen=True)
class Command:
    """One command as it is written; `words` are those after variables, up to the shell's own."""

    text: str
    variables: dict[str, str]
    words: tuple[str, ...]

    @classmethod
    def of(cls, line: str) -> "Command":
        words = shlex.split(line, comments=True)
        variables = {}
        while words and _VARIABLE.match(words[0]):
            name, _, value = words.pop(0).partition("=")
            variables[name] = value
        shell = next((n for n, word in enumerate(words) if word in _SHELL), len(words))
        return cls(re.sub(r"\s+#.*", "", line), variables, tuple(words[:shell]))

    @property
    def program(self) -> str:
        return self.words[0] if self.words else ""

    def why_not_run(self, here: Path) -> str | None:
        """The reason for which it is not run in a folder; None when it is."""
        if self.program not in _OURS:
            return "it is another program's"
        for pattern, reason in _NOT_RUN.items():
            if re.search(pattern, self.text):
                return reason
        if any(re.fullmatch(r"[A-Z][A-Z_]+", word) for word in self.words):
            return "it has something to fill in"
        for word, before in zip(self.words[2:], self.words[1:], strict=False):
            read = before != "backup" and (not before.startswith("-") or before in _INPUTS)
            named = re.search(r"\.(jsonl?|tar|csv|md|gz)$", word)
            if named and read and not (here / word).exists():
                return "it names a file of yours"
        return None


def commands_of(document: Path) -> list[Command]:
    """Its commands in order; a line that ends with a backslash goes on."""
    found = []
    for mark, block in _FENCE.findall(document.read_text("utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            line = line.strip()
            if mark not in ("", "sh") or not line or line.startswith("#"):
                continue
            line = line.removeprefix("$ ")
            begins = re.match(r"(?:[A-Z]\w*=\S+ +)*(\w+) ", f"{line} ")
            if mark == "sh" or (begins and begins[1] in _OURS):
                found.append(Command.of(line))
    return found


def problem(command: Command) -> str | None:
    """What is wrong with a command of ours by its form alone."""
    if command.program == "make":
        targets = re.findall(r"^([a-z]+):", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE)
        named = [word for word in command.words[1:] if "=" not in word]
        return next((f"no target {name}" for name in named if name not in targets), None)
    if command.program == "python" and command.words[1:2] == ("-m",):
        return None if find_spec(command.words[2]) else f"no module {command.words[2]}"
    return _misused(list(command.words[1:])) if command.program == "youju" else None


def _misused(arguments: list[str]) -> str | None:
    """What the command line would say against the arguments, which it does not carry out."""
    command: Any = typer.main.get_command(app)
    context: Any = None
    try:
        context = command.make_context("youju", arguments)
        while hasattr(command, "resolve_command"):
            rest = [*context._protected_args, *context.args]
            if not rest and command.invoke_without_command:
                return None
            name, command, arguments = command.resolve_command(context, rest)
            context = command.make_context(name, arguments, parent=context)
    except Exception as error:
        # A group without a subcommand, or --help, shows its help and ends well.
        return None if type(error).__name__ in ("Exit", "NoArgsIsHelpError") else repr(error)
    return None


@pytest.mark.parametrize("document", _DOCUMENTS, ids=lambda path: path.name)
def test_every_command_of_ours_exists_with_its_flags(document: Path) -> None:
    wrong = {c.text: told for c in commands_of(document) if (told := problem(c))}

    assert wrong == {}


@pytest.mark.parametrize(
    "line",
    [
        "youju nonsense",
        "youju ask --nonsense x",
        "youju eval",
        "youju eval a.jsonl --tolerance much",
        "make nonsense",
        "python -m benchmarks.nonsense",
    ],
)
def test_a_command_that_does_not_exist_is_noticed(line: str) -> None:
    assert problem(Command.of(line))


def sample(tmp_path: Path, data_dir: Path) -> Path:
    """A folder that looks like the repository, with an index that may be spoilt."""
    here = tmp_path / "here"
    here.mkdir()
    for name in ("corpus", "docs", "README.md"):
        (here / name).symlink_to(_ROOT / name)
    shutil.copytree(data_dir, here / "data")
    shutil.copytree(_ROOT / "corpus" / "articles", here / "articles")
    shutil.copy(_ROOT / "corpus" / "golden.jsonl", here / "articles")
    (here / "articles" / "terms.csv").write_text("放水,裝笨,sandbagging\n", encoding="utf-8")
    return here


@pytest.mark.parametrize(
    "document", [d for d in _DOCUMENTS if not d.name.startswith("README.zh")], ids=lambda p: p.name
)
def test_what_can_be_run_is_run(document: Path, tmp_path: Path, data_dir: Path) -> None:
    here = sample(tmp_path, data_dir)
    failed, done = {}, set()
    for command in commands_of(document):
        if command.text in done or command.why_not_run(here):
            continue
        done.add(command.text)
        ran = run(command, here)
        if ran.returncode not in (0, _OTHER_CODES.get(command.text)):
            failed[command.text] = (ran.returncode, ran.stderr[-500:])

    assert failed == {}


def run(command: Command, here: Path) -> "subprocess.CompletedProcess[str]":
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("YOUJU_", "DISCORD_"))}
    given = {
        "YOUJU_DATA_DIR": str(here / "data"),
        "YOUJU_CORPUS_DIR": str(here / "articles"),
        "PYTHONPATH": str(_ROOT),
    }
    program = ["-m", "bot.cli"] if command.program == "youju" else []
    return subprocess.run(
        [sys.executable, *program, *command.words[1:]],
        cwd=here,
        env={**inherited, **given, **command.variables},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        encoding="utf-8",
        timeout=240,
        check=False,
    )


def test_commands_are_found_and_some_of_them_run(tmp_path: Path) -> None:
    everything = [c for document in _DOCUMENTS for c in commands_of(document)]
    here = tmp_path
    (here / "corpus").symlink_to(_ROOT / "corpus")

    assert len(everything) >= 30
    assert len([c for c in everything if c.why_not_run(here) is None]) >= 10


@pytest.mark.parametrize("other", ["README.zh-TW.md", "README.zh-CN.md"])
def test_the_readmes_show_the_same_commands_in_their_languages(other: str) -> None:
    def forms(name: str) -> list[str]:
        return [re.sub(r'"[^"]*"', '"…"', c.text) for c in commands_of(_ROOT / name)]

    assert forms(other) == forms("README.md")
