"""The files that start it elsewhere: Dockerfile, compose.yaml, the systemd unit."""

import re
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from bot.settings import BotSettings
from rag.settings import Settings

_ROOT = Path(__file__).resolve().parents[1]
_UNIT = _ROOT / "deploy" / "youju.service"


def known() -> set[str]:
    """The names of all settings."""
    bot = {
        str(field.validation_alias or f"YOUJU_DISCORD_{name.upper()}")
        for name, field in BotSettings.model_fields.items()
    }
    return bot | {f"YOUJU_{name.upper()}" for name in Settings.model_fields}


def ours(names: list[str]) -> set[str]:
    return {name for name in names if name.startswith(("YOUJU_", "DISCORD_"))}


def test_what_the_image_copies_is_there_and_what_it_sets_is_a_setting() -> None:
    told = (_ROOT / "Dockerfile").read_text("utf-8")
    copied = [
        word for line in re.findall(r"^COPY (?!--)(.*) \S+$", told, re.M) for word in line.split()
    ]
    names = ours(re.findall(r"\b([A-Z_]+)=", told))

    assert len(copied) >= 6
    assert [path for path in copied if not (_ROOT / path).exists()] == []
    assert names
    assert names <= known()
    assert told.index("\nUSER youju") < told.index("\nENTRYPOINT")
    assert '\nENTRYPOINT ["youju"]\nCMD ["bot"]' in told


def test_nothing_that_the_image_needs_is_kept_from_it() -> None:
    kept_out = (_ROOT / ".dockerignore").read_text("utf-8").split()
    told = (_ROOT / "Dockerfile").read_text("utf-8")

    assert {".env", ".git", "data"} <= set(kept_out)
    assert not [
        name for name in kept_out if re.search(rf"^COPY .*\b{re.escape(name)}\b", told, re.M)
    ]


def test_compose_sets_known_settings_and_opens_no_port() -> None:
    services = yaml.safe_load((_ROOT / "compose.yaml").read_text("utf-8"))["services"]

    assert set(services) == {"bot", "chroma"}
    assert ours(list(services["bot"]["environment"])) == set(services["bot"]["environment"])
    assert set(services["bot"]["environment"]) <= known()
    assert not [name for name, service in services.items() if "ports" in service]
    pinned = re.search(r"^chromadb==(\S+)$", (_ROOT / "constraints.txt").read_text("utf-8"), re.M)
    assert pinned is not None
    assert services["chroma"]["image"].endswith(f":{pinned[1]}")


def test_the_unit_sets_known_settings() -> None:
    names = ours(re.findall(r"^Environment=(\w+)=", _UNIT.read_text("utf-8"), re.MULTILINE))

    assert names
    assert names <= known()


def test_systemd_finds_nothing_wrong_with_the_unit(tmp_path: Path) -> None:
    verifier = shutil.which("systemd-analyze")
    if verifier is None:
        pytest.skip("no systemd-analyze on this machine")
    program = tmp_path / "youju"
    program.write_text("#!/bin/sh\n")
    program.chmod(0o755)
    told = _UNIT.read_text("utf-8").replace("/opt/youju/.venv/bin/youju", str(program))
    unit = tmp_path / "youju.service"
    unit.write_text(told.replace("/opt/youju", str(tmp_path)))

    ran = subprocess.run(
        [verifier, "verify", str(unit)], capture_output=True, text=True, check=False, timeout=60
    )

    assert (ran.returncode, ran.stderr) == (0, "")
