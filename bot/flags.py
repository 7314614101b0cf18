"""Settings given as flags of the command line, kept for the command that follows them."""

from collections.abc import Mapping
from typing import Any


class Flags:
    values: Mapping[str, Any] = {}
