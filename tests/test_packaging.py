"""What is installed is whole: an editable installation would not show that a file is left out."""

import tomllib
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[1]
_PACKAGES = ("bot", "rag", "corpus", "prompts")


def test_every_file_of_our_packages_is_installed_with_them() -> None:
    tool = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["setuptools"]
    patterns = [pattern.removeprefix("**/") for pattern in tool["package-data"]["*"]]

    left_out = [
        str(path.relative_to(_ROOT))
        for package in _PACKAGES
        for path in (_ROOT / package).rglob("*")
        if path.is_file() and path.suffix not in (".py", ".pyc")
        if not any(path.match(pattern) for pattern in patterns)
    ]

    assert left_out == []


def test_every_pinned_dependency_stands_in_the_constraints() -> None:
    project = tomllib.loads((_ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    extras = project["optional-dependencies"]
    pinned = [
        *project["dependencies"],
        *(pin for name in ("dev", "report", "bench") for pin in extras[name]),
    ]
    written = (_ROOT / "constraints.txt").read_text("utf-8").splitlines()
    known = {line.lower().replace("_", "-") for line in written}

    missing = [pin for pin in pinned if pin.lower().replace("_", "-") not in known]

    assert missing == []
