"""Every word said to a language model, one file a purpose and a script.

A file holds the standing instructions, a line `---`, and what is said for this question; names in
{braces} are filled in. `tests/prompts/` checks that both scripts ask for the same names.
"""

from functools import lru_cache
from pathlib import Path
from typing import Literal

Purpose = Literal["answer", "condense", "rewrite", "questions"]
_HERE = Path(__file__).parent
_BETWEEN = "\n---\n"


@lru_cache(maxsize=16)
def load(purpose: Purpose, script: str) -> tuple[str, str]:
    """The instructions and the message of a prompt, in "hant" or "hans"."""
    text = (_HERE / f"{purpose}.{script}.md").read_text(encoding="utf-8")
    system, _, user = text.partition(_BETWEEN)
    return system.strip(), user.strip()
