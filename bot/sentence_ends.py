"""What of a text that is still being written can be shown: its whole sentences."""

import re

_ENDS = re.compile(r"[。！？!?；;…\n][」』”’）》]*")


def whole_sentences(written: str) -> str:
    """The text up to the last end of a sentence: half a sentence may turn into its opposite."""
    ends = [found.end() for found in _ENDS.finditer(written)]
    return written[: ends[-1]].strip() if ends else ""
