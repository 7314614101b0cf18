"""What many tests stand on: one index over the digests that ship, built once a run."""

import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from rag.build import build_service
from rag.service import Service
from rag.settings import Settings

if TYPE_CHECKING:
    from tests.chroma_server import ChromaServer

ROOT = Path(__file__).resolve().parents[1]
SHARED = ROOT.parent / "shared"


@dataclass(frozen=True)
class Ran:
    """What a command left: its exit code and what it printed."""

    code: int
    out: str
    err: str


class Youju:
    """Runs the command line as another program would, over its own data directory."""

    def __init__(self, data_dir: Path, environment: Mapping[str, str] | None = None) -> None:
        self.data_dir, self._environment = data_dir, dict(environment or {})

    def __call__(self, *arguments: str, stdin: str = "", **environment: str) -> Ran:
        inherited = {
            k: v for k, v in os.environ.items() if not k.startswith(("YOUJU_", "DISCORD_"))
        }
        given = {"YOUJU_DATA_DIR": str(self.data_dir), **self._environment, **environment}
        done = subprocess.run(
            [sys.executable, "-m", "bot.cli", *arguments],
            cwd=ROOT,
            env={**inherited, **given},
            input=stdin,
            capture_output=True,
            encoding="utf-8",
            timeout=180,
            check=False,
        )
        return Ran(done.returncode, done.stdout, done.stderr)


@pytest.fixture(scope="session")
def data_dir(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data directory with an index over the digests."""
    directory = tmp_path_factory.mktemp("data")
    service = build_service(Settings(data_dir=directory, _env_file=None))  # type: ignore[call-arg]
    service.reindex()
    service.close()
    return directory


@pytest.fixture(scope="session")
def youju(data_dir: Path) -> Youju:
    """The command line over the digests."""
    return Youju(data_dir)


@pytest.fixture(scope="session")
def service(data_dir: Path) -> Iterator[Service]:
    """The Service over the digests."""
    opened = build_service(Settings(data_dir=data_dir, _env_file=None))  # type: ignore[call-arg]
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def chroma(tmp_path_factory: pytest.TempPathFactory) -> Iterator["ChromaServer"]:
    """A Chroma server for tests that do not kill it; each takes a database of its own."""
    from tests.chroma_server import ChromaServer

    server = ChromaServer(tmp_path_factory.mktemp("chroma"))
    server.start()
    yield server
    server.kill()


@pytest.fixture(scope="session")
def shared() -> Path:
    """The evaluation sets beside a checkout; where they are not, the test is skipped."""
    if not SHARED.is_dir():
        pytest.skip("no shared/ beside this checkout")
    return SHARED
