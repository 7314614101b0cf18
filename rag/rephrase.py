"""What is searched for: a follow-up made whole by the model, and other wordings of a question."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from rag.errors import LanguageModelFailed
from rag.fold import has_words
from rag.generation import Generation
from rag.llm import LanguageModel
from rag.llm_budget import Budget
from rag.prompting import condense_messages, rewrite_messages
from rag.question import leans_on_history
from rag.reply import ReplyReader
from rag.result import Hit, Variant
from rag.retrieve import Retrieval, Retriever
from rag.settings import Settings

_TOKENS = 256
_EARLIER = 4  # questions of the conversation that the last one may lean on
_NUMBERED = re.compile(r"^\s*(?:[-*•]|\d{1,2}[.)、．])\s*")
_LABEL = re.compile(r"^(?:改寫後的問題|改写后的问题|問題|问题|question)\s*[:：]\s*", re.IGNORECASE)
_AROUND = "「」『』“”\"' \t*"
_LONGEST = 400
_REWRITE_COUNTS = 0.95  # a passage found by another wording only comes after its equals


@dataclass(frozen=True, slots=True)
class Rephrased:
    """What was found, the question it answers, all that was searched for, and what failed."""

    retrieval: Retrieval
    question: str
    queries: tuple[str, ...] = ()
    failed: str | None = None


class Rephraser:
    """Asks the model for better questions where the settings want it, and searches with them."""

    def __init__(self, settings: Settings, model: LanguageModel, retriever: Retriever) -> None:
        self._settings, self._model, self._retriever = settings, model, retriever

    def retrieve(
        self,
        generation: Generation,
        question: str,
        history: Sequence[str],
        variant: Variant,
        k: int,
        budget: Budget,
    ) -> Rephrased:
        """The `k` best passages; without the model's help where it fails."""
        queries: tuple[str, ...] = ()
        whole, failed = question, None
        try:
            whole = self._standalone(question, history, variant, budget)
            queries = (whole, *self._rewrites(whole, variant, budget))
        except LanguageModelFailed as failure:
            failed = failure.reason
        earlier = history if whole == question else ()
        first = self._retriever.retrieve(generation, whole, earlier, k)
        others = [self._retriever.retrieve(generation, query, (), k) for query in queries[1:]]
        told = queries if len(queries) > 1 or whole != question else ()
        return Rephrased(_fused(first, others, k), whole, told, failed)

    def _standalone(
        self, question: str, history: Sequence[str], variant: Variant, budget: Budget
    ) -> str:
        if not (self._settings.llm_condense and history and leans_on_history(question)):
            return question
        messages = condense_messages(question, history[-_EARLIER:], variant)
        said = self._model.reply(messages, budget, _TOKENS)
        return next(iter(lines_of(said)), question)

    def _rewrites(self, question: str, variant: Variant, budget: Budget) -> list[str]:
        count = self._settings.llm_rewrites
        if not count:
            return []
        said = self._model.reply(rewrite_messages(question, count, variant), budget, _TOKENS)
        return [line for line in dict.fromkeys(lines_of(said)) if line != question][:count]


def lines_of(said: str) -> list[str]:
    """The usable lines of a reply, without thoughts, numbering and quotation marks."""
    reader = ReplyReader()
    reader.feed(said)
    reader.close()
    lines = [_LABEL.sub("", _NUMBERED.sub("", c.text)).strip(_AROUND) for c in reader.claims]
    return [line for line in lines if has_words(line) and len(line) < _LONGEST]


def _fused(first: Retrieval, others: Sequence[Retrieval], k: int) -> Retrieval:
    """Each passage once, by its best score; scores are on one scale whatever was searched for."""
    best: dict[str, tuple[float, Hit]] = {}
    for weight, retrieval in [(1.0, first), *((_REWRITE_COUNTS, other) for other in others)]:
        for hit in retrieval.hits:
            score = weight * hit.score
            if hit.passage.id not in best or score > best[hit.passage.id][0]:
                best[hit.passage.id] = (score, hit)
    ranked = sorted(best.values(), key=lambda scored: -scored[0])
    return replace(first, hits=tuple(hit for _, hit in ranked[:k]))
