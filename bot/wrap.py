"""Line breaks for Chinese in a terminal: rich breaks at blanks only, Chinese breaks anywhere."""

import re

from rich.cells import cell_len
from rich.text import Text

# A word, or one wide character; closing marks stay with what stands before them.
_PIECES = re.compile(r"(?:[!-~\u00a0-\u024f]+|.)[，。！？；：、」』”’）》〉】…]*", re.DOTALL)


def wrapped(text: Text, width: int) -> list[Text]:
    """The lines of a styled text, each at most `width` cells wide and without trailing blanks."""
    lines: list[Text] = []
    for paragraph in text.split("\n", allow_blank=True):
        lines += paragraph.divide(_breaks(paragraph.plain, max(width, 2)))
    for line in lines:
        line.rstrip()
    return lines


def _breaks(plain: str, width: int) -> list[int]:
    """The offsets at which a new line begins."""
    breaks: list[int] = []
    used = 0
    for match in _PIECES.finditer(plain):
        piece = match.group()
        cells = cell_len(piece)
        if used and used + cells > width and not piece.isspace():
            breaks.append(match.start())
            used = 0
        used += cells
        while used > width:  # a word, an address, longer than a line
            start = match.end() - len(piece)
            fitting = _fitting(piece, width)
            breaks.append(start + fitting)
            piece = piece[fitting:]
            used = cell_len(piece)
    return breaks


def _fitting(piece: str, width: int) -> int:
    """How many characters of a piece fit into a line; at least one."""
    used = 0
    for at, char in enumerate(piece):
        used += cell_len(char)
        if used > width and at:
            return at
    return len(piece)
