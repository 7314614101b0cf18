"""The whole way against llama.cpp's own server, with a tiny random model made on the spot.

Opt-in: runs when the packages xllamacpp and gguf are installed.
"""

import socket
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import pytest

from rag.build import build_service
from rag.llm_check import reach
from rag.settings import Settings
from tests.conftest import ROOT

pytestmark = pytest.mark.skipif(
    not (find_spec("xllamacpp") and find_spec("gguf")),
    reason="llama.cpp's server is not here: pip install xllamacpp gguf",
)


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    path = tmp_path_factory.mktemp("model") / "tiny.gguf"
    with subprocess.Popen(
        [sys.executable, "-m", "tests.llama_cpp_server", str(path), str(port)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert process.stdin is not None
        told = (line.split()[1] for line in process.stdout if line.startswith("address "))
        at = next(told, None)
        assert at is not None, "llama.cpp's server did not start"
        yield f"{at}/v1"
        process.stdin.close()
        process.terminate()


def settings(data_dir: Path, address: str, **more: object) -> Settings:
    given = {"llm_base_url": address, "llm_model": "tiny-random", "llm_deadline": 120.0, **more}
    return Settings(data_dir=data_dir, _env_file=None, **given)  # type: ignore[arg-type]


def test_the_server_is_reached(data_dir: Path, address: str) -> None:
    assert reach(settings(data_dir, address)).models


def test_random_words_never_reach_a_reader(data_dir: Path, address: str) -> None:
    drafts: list[str] = []
    service = build_service(settings(data_dir, address, llm_max_tokens=128))
    try:
        answer = service.ask("什麼是偽裝對齊？", on_text=drafts.append)
    finally:
        service.close()

    assert (answer.status, answer.engine) == ("answered", "extractive")
    assert answer.degraded in ("too_long", "ungrounded", "language", "empty")
    assert answer.citations
    assert drafts == []
    assert answer.usage is not None
    assert answer.usage.completion_tokens > 0
    assert not answer.usage.estimated


def test_a_prompt_that_is_too_long_for_the_server_ends_in_the_extractive_answer(
    data_dir: Path, address: str
) -> None:
    service = build_service(settings(data_dir, address))
    try:
        answer = service.ask("什麼是偽裝對齊？" + "請說明偽裝對齊。" * 200)
    finally:
        service.close()

    assert answer.engine == "extractive"
    assert answer.status == "refused" or answer.degraded in (
        "bad_request",
        "too_long",
        "server_error",
    )
