"""What an evaluation is made of: questions out of a file, and what became of each."""

import copy
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.answer import Answerer, Draft
from rag.errors import UsageError
from rag.examined import Examined, shown, verbatim
from rag.fold import fold
from rag.generation import Generation
from rag.result import Hit
from rag.retrieve import Evidence, Fusion, Retrieval, Retriever
from rag.variant import resolve

K = 10  # passages that are ranked
LEGS = {
    "lexical": Fusion(dense=0.0, closely=False),
    "dense": Fusion(ngrams=0.0, ideas=0.0, closely=False),
}
# Marks of layout that a quotation from a source file may carry and a cleaned passage does not.
_LAYOUT = re.compile(r"[\s*_>#`]+")
Row = Mapping[str, Any]
Scores = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Evaluation:
    """The figures of a run and, one by one, the questions they come from."""

    scores: Scores
    examined: tuple[Examined, ...]


class BadEvaluationFile(UsageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The evaluation file {path} cannot be used ({why}).")
        self.path, self.why = path, why


def read_rows(path: Path, *required: str) -> list[Row]:
    """The objects of a JSON-lines file; BadEvaluationFile names the line that is wrong."""
    rows: list[Row] = []
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except (OSError, UnicodeDecodeError) as error:
        raise BadEvaluationFile(path, str(error)) from error
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            row = json.loads(line)
        except ValueError as error:
            raise BadEvaluationFile(path, f"line {number} is not JSON") from error
        missing = [name for name in required if not isinstance(row, dict) or name not in row]
        if missing:
            raise BadEvaluationFile(path, f"line {number} has no {missing[0]!r}")
        rows.append(row)
    if not rows:
        raise BadEvaluationFile(path, "it is empty")
    return rows


@dataclass(frozen=True, slots=True)
class Looked:
    """What one question brought: passages, the answer, milliseconds, the rank on each leg."""

    generation: Generation
    retrieval: Retrieval
    draft: Draft
    took: float
    legs: Mapping[str, int | None]

    def anyway(self, answerer: Answerer, question: str) -> Draft:
        """The answer that would be given if nothing were refused."""
        if self.draft.status != "refused":
            return self.draft
        willing = copy.copy(answerer)
        willing.threshold = 0.0
        return willing.answer(self.generation, self.retrieval.best(5), resolve(question))


def on_each_leg(
    retriever: Retriever, generation: Generation, evidence: Evidence
) -> dict[str, Retrieval]:
    return {name: retriever.rank(generation, evidence, K, fusion) for name, fusion in LEGS.items()}


def examine(
    row: Row,
    looked: Looked,
    *,
    to_refuse: bool,
    rank: int | None,
    fine: bool,
    right: bool | None,
    is_gold: Callable[[Hit], bool],
) -> Examined:
    draft = looked.draft
    return Examined(
        id=str(row.get("id", "")),
        question=row["question"],
        variant=str(row.get("q_variant") or row.get("variant") or resolve(row["question"])),
        kind=str(row.get("kind") or "?"),
        to_refuse=to_refuse,
        rank=rank,
        legs=looked.legs,
        status=draft.status,
        support=round(draft.support, 4),
        fine=fine,
        right=right,
        answer=draft.text,
        milliseconds=round(looked.took, 3),
        citations=len(draft.citations),
        verbatim=verbatim(looked.generation.content, draft),
        hits=shown(looked.retrieval.hits, is_gold),
    )


def plain(text: str) -> str:
    return _LAYOUT.sub("", fold(text))
