"""Why an answer came out as it did."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

from rag.cues import asks
from rag.fold import fold
from rag.generation import Generation
from rag.read import Sentence
from rag.result import Hit, Status
from rag.retrieve import Fusion
from rag.tokens import subject
from rag.writing import Writing

_SENTENCES = 8


@dataclass(frozen=True, slots=True)
class Trace:
    """The whole path of a question. `forms` are the words that the terms bridge widened.

    `writing` is what a language model made of it, where one was asked.
    """

    question: str
    searched: str
    folded: str
    forms: Mapping[str, Sequence[str]]
    kinds: tuple[str, ...]
    hits: tuple[Hit, ...]
    sentences: tuple[Sentence, ...]
    support: float
    threshold: float
    status: Status
    generation: str
    fusion: Mapping[str, float]
    writing: Writing | None = None


def trace(
    generation: Generation, question: str, writing: Writing, threshold: float, fusion: Fusion
) -> Trace:
    """What decided an answer, from how it came about."""
    retrieval, draft = writing.retrieval, writing.draft
    folded = fold(retrieval.searched)
    asked = subject(folded)
    terms = generation.lexical.terms
    return Trace(
        question=question,
        searched=retrieval.told,
        folded=folded,
        forms={form: terms.siblings(form, groups) for form, groups in terms.in_question(asked)},
        kinds=tuple(sorted(asks(folded))),
        hits=retrieval.hits,
        sentences=draft.sentences[:_SENTENCES],
        support=draft.support,
        threshold=threshold,
        status=draft.status,
        generation=generation.name,
        fusion=asdict(fusion),
    )
