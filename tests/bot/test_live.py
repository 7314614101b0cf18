"""A model's answer in a terminal: its draft while it is written, Ctrl-C; and in a pipe no draft."""

import contextlib
import io
import json
import os
import pty
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from bot import live, show
from bot.live import answered
from rag.service import Service
from tests.bot.running import QUESTION, QUESTION_HANS
from tests.bot.writer import SENTENCES, Writer
from tests.conftest import ROOT, Youju
from tests.llm_models import honest
from tests.llm_server import Call, LlmServer, Turn, says

DRAFT = "草稿：還在寫"


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    """What a terminal of 60 columns and 12 lines is sent."""
    return _console(monkeypatch, force_terminal=True, width=60, height=12)


@pytest.fixture
def pipe(monkeypatch: pytest.MonkeyPatch) -> io.StringIO:
    return _console(monkeypatch, width=200)


def _console(monkeypatch: pytest.MonkeyPatch, **given: Any) -> io.StringIO:
    page = io.StringIO()
    console = Console(file=page, highlight=False, **given)
    monkeypatch.setattr(show, "out", console)
    monkeypatch.setattr(live, "out", console)
    return page


def written(answering: Service, drafts: list[str] | None = None, pace: float = 0.01) -> Any:
    return Writer(answering, drafts, pace)


def test_the_draft_grows_in_the_terminal_and_is_wiped_for_the_answer(
    terminal: io.StringIO, answering: Service
) -> None:
    answer = answered(written(answering), QUESTION, (), None)

    page = terminal.getvalue()
    assert answer.engine == "llm:scripted"
    assert page.index("正在讀段落") < page.index(DRAFT) < page.index(SENTENCES[2])
    assert page.rstrip().endswith(("\x1b[2K", "\x1b[?25h", "\x1b[1A\x1b[2K"))


def test_the_words_around_a_draft_are_in_the_script_of_the_question(
    terminal: io.StringIO, answering: Service
) -> None:
    answered(written(answering), QUESTION_HANS, (), None)

    assert "草稿：还在写" in terminal.getvalue()


def test_a_draft_longer_than_the_screen_shows_its_latest_lines(
    terminal: io.StringIO, answering: Service
) -> None:
    draft = "".join(f"這是第{n}句話，它有一點長，一行放不下兩句這樣的話。" for n in range(40))
    answered(written(answering, [draft]), QUESTION, (), None)

    last = terminal.getvalue().split(DRAFT)[-1]
    assert "第39句" in last
    assert "第0句" not in last


def test_what_steers_a_terminal_is_not_in_a_draft(
    terminal: io.StringIO, answering: Service
) -> None:
    hostile = "甲\x1b[31m乙\x1b]0;名\x07\u202e丙[red]丁[/red]。"
    answered(written(answering, [hostile]), QUESTION, (), None)

    page = terminal.getvalue()
    assert "\x1b[31m" not in page
    assert "\x1b]" not in page
    assert "\u202e" not in page
    assert "丙[red]丁[/red]。" in page


@pytest.mark.parametrize("watched", [True, False], ids=["piped", "json in a terminal"])
def test_nothing_is_streamed_into_a_pipe_or_beside_json(
    request: pytest.FixtureRequest, answering: Service, watched: bool
) -> None:
    page = request.getfixturevalue("pipe" if watched else "terminal")

    answer = answered(written(answering), QUESTION, (), None, watched=watched)

    assert answer.engine == "llm:scripted"
    assert page.getvalue() == ""


@pytest.mark.usefixtures("terminal", "heard")
def test_ctrl_c_ends_the_writing_and_what_stands_is_the_answer(answering: Service) -> None:
    before = signal.getsignal(signal.SIGINT)
    writer = written(answering, ["一。"] * 600, pace=0.05)
    with _pressing_ctrl_c(lambda: bool(writer.begun)):
        answer = answered(writer, QUESTION, (), None)

    assert answer.degraded == "stopped"
    assert answer.citations
    assert signal.getsignal(signal.SIGINT) is before


@pytest.fixture
def heard() -> Iterator[None]:
    """Ctrl-C as in a terminal: a program that a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("terminal", "heard")
def test_a_second_ctrl_c_ends_all(answering: Service) -> None:
    class Deaf(Writer):
        def ask(self, *_: Any, stop: threading.Event, **__: Any) -> Any:
            os.kill(os.getpid(), signal.SIGINT)
            assert stop.wait(30)  # two signals at one moment are one
            os.kill(os.getpid(), signal.SIGINT)
            time.sleep(30)

    deaf: Any = Deaf(answering)
    with pytest.raises(KeyboardInterrupt):
        answered(deaf, QUESTION, (), None)


@contextlib.contextmanager
def _pressing_ctrl_c(when: Callable[[], bool]) -> Iterator[None]:
    def press() -> None:
        while not when():
            time.sleep(0.01)
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=press)
    thread.start()
    yield
    thread.join()


# the real thing


def slowly(call: Call) -> Turn:
    """The honest answer, again and again, as slowly as a model on a small machine."""
    if call.purpose != "answer":
        return honest(call)
    return says("".join(honest(call).pieces) * 200, delay=0.02)


def in_a_terminal(
    data_dir: Path, given: dict[str, str], *arguments: str, stop_at: str = ""
) -> tuple[int, str]:
    """Runs the command line in a terminal of its own; presses Ctrl-C once it shows some words."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("YOUJU_", "DISCORD_"))}
    ours, theirs = pty.openpty()
    done = subprocess.Popen(
        [sys.executable, "-m", "bot.cli", *arguments],
        cwd=ROOT,
        env={
            **inherited,
            **given,
            "YOUJU_DATA_DIR": str(data_dir),
            "COLUMNS": "100",
            "LINES": "30",
        },
        stdin=theirs,
        stdout=theirs,
        stderr=theirs,
        start_new_session=True,
    )
    os.close(theirs)
    page = b""
    with contextlib.suppress(OSError):  # EIO: the terminal's other side is closed
        while piece := os.read(ours, 65536):
            page += piece
            if stop_at and stop_at in page.decode("utf-8", "ignore"):
                done.send_signal(signal.SIGINT)
                stop_at = ""
    os.close(ours)
    return done.wait(60), page.decode("utf-8", "replace")


def test_youju_ask_streams_into_a_terminal(data_dir: Path) -> None:
    with LlmServer(honest) as server:
        code, page = in_a_terminal(data_dir, server.settings(), "ask", QUESTION)

    final = page[page.rindex("\x1b[2K") :]
    assert code == 0
    assert "正在讀段落" in page
    assert DRAFT in page
    assert DRAFT not in final
    assert "1/1 則引文已與原文逐字核對" in final
    assert server.key not in page


def test_ctrl_c_in_a_terminal_shows_what_stands(data_dir: Path) -> None:
    with LlmServer(slowly) as server:
        code, page = in_a_terminal(data_dir, server.settings(), "ask", QUESTION, stop_at=DRAFT)

    assert code == 0
    assert "語言模型的回答被停下" in page
    assert "來源" in page
    assert "Traceback" not in page


def test_a_pipe_gets_the_answer_and_no_draft(youju: Youju) -> None:
    with LlmServer(honest) as server:
        ran = youju("ask", QUESTION, **server.settings())
        told = json.loads(youju("ask", QUESTION, "--json", **server.settings()).out)

    assert ran.code == 0
    assert re.search("\x1b|草稿", ran.out + ran.err) is None
    assert "1/1 則引文已與原文逐字核對" in ran.out
    assert told["engine"] == "llm:scripted"
