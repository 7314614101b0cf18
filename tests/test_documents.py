"""The documents say what the code does."""

import re
from pathlib import Path

import pytest

from rag.settings import Settings

_ROOT = Path(__file__).resolve().parents[1]
_READMES = ("README.md", "README.zh-TW.md", "README.zh-CN.md")


def _names() -> set[str]:
    return {f"YOUJU_{name.upper()}" for name in Settings.model_fields}


@pytest.mark.parametrize("readme", _READMES)
def test_every_setting_stands_in_the_table_and_no_other(readme: str) -> None:
    rows = re.findall(r"^\| `(YOUJU_\w+)`", (_ROOT / readme).read_text("utf-8"), re.MULTILINE)

    assert set(rows) == _names()


def test_the_example_of_a_settings_file_holds_every_setting() -> None:
    rows = re.findall(r"^# (YOUJU_\w+)=", (_ROOT / ".env.example").read_text("utf-8"), re.MULTILINE)

    assert set(rows) == _names()


@pytest.mark.parametrize("readme", _READMES)
def test_the_tree_names_files_that_are_there(readme: str) -> None:
    tree = re.search(r"```\n(youju/.*?)```", (_ROOT / readme).read_text("utf-8"), re.DOTALL)

    assert tree is not None
    for line in tree.group(1).splitlines()[1:]:
        path = re.match(r"\s*([\w./*-]+)", line)
        assert path is not None
        assert list(_ROOT.glob(path.group(1))), f"{path.group(1)} is not there"


@pytest.mark.parametrize("readme", _READMES)
def test_every_make_target_that_is_named_exists(readme: str) -> None:
    named = set(re.findall(r"make ([a-z]+)", (_ROOT / readme).read_text("utf-8")))
    targets = set(re.findall(r"^([a-z]+):", (_ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))

    assert named
    assert named <= targets
