"""The folder of a shipped model: what its `youju.json` says, and whether its files are whole."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from rag.errors import BrokenModel

SETTINGS = "youju.json"


class ModelFolder:
    """Making one reads `youju.json`. Every method raises BrokenModel, naming what is damaged."""

    def __init__(self, path: Path) -> None:
        self.path = path
        try:
            self._told = dict(json.loads((path / SETTINGS).read_text(encoding="utf-8")))
            self._sizes = dict(self._told["bytes"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise BrokenModel(path, f"{SETTINGS}: {error!r}") from error

    def told(self, name: str) -> Any:
        """A value of `youju.json`."""
        if name not in self._told:
            raise BrokenModel(self.path, f"{SETTINGS}: {name} is missing")
        return self._told[name]

    def weights(self, needed: Sequence[str]) -> Mapping[str, float]:
        """The fitted weights, at least those that are needed."""
        found = self.told("weights")
        if not isinstance(found, dict):
            raise BrokenModel(self.path, f"{SETTINGS}: weights are no object")
        for name in needed:
            if name not in found:
                raise BrokenModel(self.path, f"{SETTINGS}: the weight {name!r} is missing")
        for name, value in found.items():
            if not isinstance(value, int | float):
                raise BrokenModel(self.path, f"{SETTINGS}: the weight {name!r} is no number")
        return found

    def whole(self, name: str) -> Path:
        """A file that has as many bytes as it was made with."""
        path = self.path / name
        if not path.is_file():
            raise BrokenModel(self.path, f"{name} is missing")
        if path.stat().st_size != self._sizes.get(name):
            raise BrokenModel(self.path, f"{name} has {path.stat().st_size:,} bytes")
        return path
