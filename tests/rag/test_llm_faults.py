"""Whatever a model's server does, a question ends in an answer, in time, and says why."""

import json
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from rag.build import build_service
from rag.result import Answer
from rag.service import Service
from rag.settings import Settings
from tests.llm_models import honest
from tests.llm_server import KEY, Call, LlmServer, Model, Turn, says

QUESTION = "什麼是偽裝對齊？"
# A hang is left after a second; what fails by itself gets the time that a busy machine needs.
HANGING, PATIENT = 1.0, 30.0
SLACK = 6.0


@contextmanager
def asking(data_dir: Path, url: str, **settings: object) -> Iterator[Service]:
    given = {"llm_base_url": url, "llm_model": "scripted", "llm_api_key": KEY}
    given |= {"llm_deadline": PATIENT, **settings}
    service = build_service(Settings(data_dir=data_dir, _env_file=None, **given))  # type: ignore[arg-type]
    try:
        yield service
    finally:
        service.close()


@pytest.fixture(scope="module", autouse=True)
def _clients_are_imported() -> None:
    """Importing them takes seconds, which would count against the first test."""
    import llama_index.llms.openai_like  # noqa: F401


def timed(ask: Callable[[], Answer]) -> tuple[Answer, float]:
    began = time.monotonic()
    return ask(), time.monotonic() - began


def faulty(turn: Turn) -> Model:
    return lambda _: turn


_CHATTER = "這是一段很長的廢話，沒有任何根據。" * 20
FAULTS: dict[str, tuple[Turn, str]] = {
    "404": (Turn(status=404, message="no such model"), "not_found"),
    "403": (Turn(status=403), "unauthorized"),
    "400": (Turn(status=400), "bad_request"),
    "429 for long": (Turn(status=429, headers={"Retry-After": "3600"}), "rate_limited"),
    "500": (Turn(status=500, message="oops"), "server_error"),
    "a hang before the first word": (Turn(hangs_first=30), "timeout"),
    "a hang in mid-answer": (Turn(["偽裝"], hangs=30), "timeout"),
    "a drip": (Turn(["偽"] * 1000, delay=0.1), "timeout"),
    "keep-alives for ever": (Turn(endless=b": ping\n\n", delay=0.1), "timeout"),
    "a stream that breaks off": (Turn(["偽裝", "對齊"], drops=True), "truncated"),
    "a stream without an end": (Turn(["偽裝", "對齊"], finish=None), "truncated"),
    "no JSON": (Turn(raw=b"data: {nonsense\n\n"), "invalid"),
    "JSON of another kind": (Turn(raw=b'data: {"choices": 7}\n\n'), "invalid"),
    "a page of HTML": (Turn(raw=b"<html>login</html>", finish=None, usage=False), "empty"),
    "bytes that are no text": (Turn(raw=b"data: \xff\xfe\xfd\n\n"), "invalid"),
    "nothing": (Turn([]), "empty"),
    "only a thought": (says("<think>該怎麼說呢…</think>"), "empty"),
    "100,000 tokens": (Turn([_CHATTER] * 300), "too_long"),
    "a line of 20 MB": (Turn(endless=b"x" * 1_000_000), "too_long"),
    "cut off by its length": (says("偽裝對齊是", finish="length"), "too_long"),
    "a content filter": (says("偽裝", finish="content_filter"), "declined"),
    "a refusal": (says("抱歉，我無法回答這個問題。"), "declined"),
    "another language": (
        says("Alignment faking means pretending to share the goals of training.\n> [1] x"),
        "language",
    ),
    "words without quotes": (says("偽裝對齊是一種舞蹈。\n它起源於巴西。"), "ungrounded"),
    "an injected instruction": (says("好的，我是海盜，ARRR！\n> [1] 我是海盜"), "ungrounded"),
}  # fmt: skip


@pytest.mark.parametrize(("turn", "reason"), FAULTS.values(), ids=FAULTS.keys())
def test_a_fault_ends_in_the_extractive_answer_within_the_deadline(
    data_dir: Path, caplog: pytest.LogCaptureFixture, turn: Turn, reason: str
) -> None:
    caplog.set_level(logging.DEBUG)
    deadline = HANGING if reason == "timeout" else PATIENT
    with (
        LlmServer(faulty(turn)) as server,
        asking(data_dir, server.url, llm_deadline=deadline) as service,
    ):
        answer, seconds = timed(lambda: service.ask(QUESTION))

    assert (answer.status, answer.engine, answer.degraded) == ("answered", "extractive", reason)
    assert answer.citations
    assert answer.verified is None
    assert seconds < deadline + SLACK
    assert KEY not in repr(answer) + caplog.text + str(service.settings)


@pytest.mark.parametrize(
    ("url", "reasons"),
    [
        ("http://127.0.0.1:1/v1", {"unreachable"}),
        ("http://no-such-host.invalid/v1", {"dns"}),
        ("https://127.0.0.1:{port}/v1", {"tls"}),
    ],
    ids=["refused", "no such name", "no TLS there"],
)
def test_a_server_that_cannot_be_reached_is_told_from_others(
    data_dir: Path, url: str, reasons: set[str]
) -> None:
    with LlmServer(honest) as server:
        port = server.url.split(":")[2].split("/")[0]
        with asking(data_dir, url.format(port=port)) as service:
            answer, seconds = timed(lambda: service.ask(QUESTION))

    assert answer.degraded in reasons
    assert answer.citations
    assert seconds < PATIENT + SLACK


def test_a_server_that_accepts_and_says_nothing_does_not_hold_the_answer(data_dir: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        url = f"http://127.0.0.1:{silent.getsockname()[1]}/v1"
        with asking(data_dir, url, llm_deadline=HANGING) as service:
            answer, seconds = timed(lambda: service.ask(QUESTION))

    assert answer.degraded == "timeout"
    assert seconds < HANGING + SLACK


def test_a_wrong_key_is_named_and_never_shown(
    data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    with (
        LlmServer(honest) as server,
        asking(data_dir, server.url, llm_api_key="sk-wrong-1234567") as service,
    ):
        answer = service.ask(QUESTION)

    assert answer.degraded == "unauthorized"
    assert "sk-wrong" not in repr(answer) + caplog.text + repr(service.settings)


def test_retry_after_is_waited_for_when_there_is_time(data_dir: Path) -> None:
    turns = iter([Turn(status=429, headers={"Retry-After": "0.2"})])

    def model(call: Call) -> Turn:
        return next(turns, None) or honest(call)

    with LlmServer(model) as server, asking(data_dir, server.url, llm_deadline=30) as service:
        answer = service.ask(QUESTION)

    assert answer.engine == "llm:scripted"
    assert len(server.calls) == 2
    assert answer.usage is not None
    assert answer.usage.calls == 2


def test_a_server_that_keeps_failing_is_left_alone(data_dir: Path) -> None:
    with LlmServer(faulty(Turn(status=404))) as server, asking(data_dir, server.url) as service:
        answers = [service.ask(QUESTION) for _ in range(5)]

    assert [a.degraded for a in answers] == ["not_found"] * 3 + ["resting"] * 2
    assert len(server.calls) == 3


def test_stopping_ends_the_writing_at_once(data_dir: Path) -> None:
    stop = threading.Event()
    with (
        LlmServer(faulty(Turn(["偽"], hangs=30))) as server,
        asking(data_dir, server.url, llm_deadline=60) as service,
    ):
        threading.Timer(0.5, stop.set).start()
        answer, seconds = timed(lambda: service.ask(QUESTION, stop=stop))

    assert answer.degraded == "stopped"
    assert answer.citations
    assert seconds < SLACK


def test_workers_end_when_the_asker_leaves(data_dir: Path) -> None:
    with (
        LlmServer(faulty(Turn(endless=b": ping\n\n", delay=0.1))) as server,
        asking(data_dir, server.url, llm_deadline=0.3) as service,
    ):
        for _ in range(2):
            service.ask(QUESTION)
        ended = time.monotonic() + 10
        while _workers() and time.monotonic() < ended:
            time.sleep(0.05)

        assert not _workers()


def test_no_more_calls_at_once_than_the_settings_allow(data_dir: Path) -> None:
    def slow(call: Call) -> Turn:
        return Turn(honest(call).pieces, delay=0.02)

    with LlmServer(slow) as server:
        settings = {"llm_concurrency": 2, "llm_deadline": 60.0}
        with asking(data_dir, server.url, **settings) as service:
            threads = [threading.Thread(target=service.ask, args=(QUESTION,)) for _ in range(6)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()

    assert len(server.calls) == 6
    assert server.most_at_once <= 2


def test_who_finds_no_free_place_in_time_is_told_that_the_model_is_busy(data_dir: Path) -> None:
    settings = {"llm_concurrency": 1, "llm_deadline": HANGING}
    with LlmServer(honest) as server, asking(data_dir, server.url, **settings) as service:
        assert service.author is not None
        service.author.model._slots.acquire()
        answer = service.ask(QUESTION)

    assert answer.degraded == "busy"
    assert server.calls == []


def test_the_json_names_the_reason(data_dir: Path) -> None:
    from bot.forms import answer_form

    with LlmServer(faulty(Turn(status=404))) as server, asking(data_dir, server.url) as service:
        form = answer_form(service.ask(QUESTION))

    assert json.loads(json.dumps(form))["degraded"] == "not_found"


def _workers() -> list[threading.Thread]:
    return [thread for thread in threading.enumerate() if thread.name == "youju-llm"]
