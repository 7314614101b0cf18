"""What goes into the answering of a question, and what comes out of it."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.answer import Draft
from rag.result import Usage, Variant
from rag.retrieve import Retrieval

if TYPE_CHECKING:
    from rag.grounding import Grounded

HITS = 5  # passages that an answer is made from


@dataclass(frozen=True, slots=True)
class Writing:
    """An answer and how it came about. `grounded` are the model's claims, kept or not."""

    retrieval: Retrieval
    retrieved: float  # perf_counter
    draft: Draft
    engine: str = "extractive"
    degraded: str | None = None
    verified: tuple[int, int] | None = None
    usage: Usage | None = None
    grounded: "tuple[Grounded, ...]" = ()
    queries: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Asked:
    """A question on its way: who asks in which script, and who watches."""

    question: str
    history: Sequence[str]
    variant: Variant
    on_text: Callable[[str], None] | None = None
    stop: threading.Event | None = None
