"""A small change: what stays of the generation before, what goes, what is new.

Rows shift when an article grows or goes, so a passage is known by its id and its article's digest;
texts and words get their new rows, and the graph of the vectors knows ids only.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from rag.assemble import Material
from rag.content import rows_by_article
from rag.generation import Generation


@dataclass(frozen=True, slots=True)
class Difference:
    """Row i of the generation before is now row `moves[i]`, or -1 where it is gone.

    `gone` are the ids of passages to be deleted, `new` the rows to be added; the passages of a
    changed article are both, for an id says nothing of the text.
    """

    before: Generation
    moves: NDArray[np.int64]
    gone: tuple[str, ...]
    new: tuple[int, ...]

    @property
    def churn(self) -> int:
        """The vectors deleted from the graph since it was built afresh."""
        return self.before.manifest.churn + len(self.gone)


def difference(before: Generation, material: Material) -> Difference | None:
    """What is to be done to get from a generation to other material; None when all is to be."""
    spans = rows_by_article(material.passages)
    old = {article.id: article for article in before.content.articles()}
    moves = np.full(len(before.content), -1, dtype=np.int64)
    new: list[int] = []
    for ident, span in spans.items():
        known = old.get(ident)
        if known is not None and known.digest == material.sources[ident].digest:
            moves[known.first_row : known.first_row + known.passages] = span
        else:
            new += span
    kept = moves[moves >= 0]
    if not len(kept) or (np.diff(kept) <= 0).any():
        return None
    gone = before.content.passages(np.flatnonzero(moves < 0).tolist())
    return Difference(before, moves, tuple(p.id for p in gone), tuple(new))
