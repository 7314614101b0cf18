"""With a language model: the question made whole, the passages found, the answer written and held
against them; and whenever the model fails, the extractive answer and the reason.
"""

import logging
import re
from collections.abc import Sequence
from time import perf_counter

from rag.answer import Answerer, Draft, refusal
from rag.compose import compose, draft_text, is_chinese, is_in_script
from rag.errors import LanguageModelFailed
from rag.generation import Generation
from rag.grounding import Grounded, Grounding
from rag.llm import LanguageModel
from rag.llm_budget import Budget
from rag.prompting import answer_messages
from rag.rephrase import Rephraser
from rag.reply import ReplyReader
from rag.result import Citation, Status, Variant
from rag.retrieve import Retrieval, Retriever
from rag.settings import Settings
from rag.writing import HITS, Asked, Writing

_DECLINES = re.compile(
    r"抱歉|對不起|对不起|很遺憾|很遗憾|我(?:無法|无法|不能|不便|沒辦法|没办法)|作為(?:一個)?(?:AI|人工智)|作为(?:一个)?(?:AI|人工智)"
    r"|\bsorry\b|\bI (?:can(?:no|')t|am unable|won't)|\bas an AI\b",
    re.IGNORECASE,
)
_log = logging.getLogger(__name__)


class Author:
    """Writes answers with a language model, within one deadline a question."""

    def __init__(
        self, settings: Settings, model: LanguageModel, retriever: Retriever, answerer: Answerer
    ) -> None:
        self.model = model
        self._settings, self._retriever, self._answerer = settings, retriever, answerer
        self._rephraser = Rephraser(settings, model, retriever)

    def answer(self, generation: Generation, asked: Asked, k: int = HITS) -> Writing:
        """Answer from the best HITS passages; the `k` best are told."""
        budget = Budget(self._settings.llm_deadline, asked.stop)
        found = self._rephraser.retrieve(
            generation, asked.question, asked.history, asked.variant, k, budget
        )
        retrieved = perf_counter()
        near = found.retrieval.best(HITS)
        extractive = self._answerer.answer(generation, near, asked.variant)
        grounded: list[Grounded] = []
        status, text, citations = extractive.status, extractive.text, extractive.citations
        engine, degraded = "extractive", found.failed
        if status == "answered" and degraded is None:
            try:
                status, text, citations = self._write(
                    generation, near, found.question, asked, budget, grounded
                )
                engine = f"llm:{self.model.name}"
            except LanguageModelFailed as failed:
                degraded = failed.reason
        writing = Writing(
            retrieval=found.retrieval,
            retrieved=retrieved,
            draft=Draft(status, text, citations, extractive.support, extractive.sentences),
            engine=engine,
            degraded=degraded,
            verified=_verified(grounded) if engine != "extractive" and citations else None,
            usage=budget.usage if budget.usage.calls else None,
            grounded=tuple(grounded),
            queries=found.queries,
        )
        _tell(writing)
        return writing

    def _write(
        self,
        generation: Generation,
        retrieval: Retrieval,
        question: str,
        asked: Asked,
        budget: Budget,
        grounded: list[Grounded],
    ) -> tuple[Status, str, tuple[Citation, ...]]:
        grounding = Grounding(question, retrieval.hits, generation.lexical.terms)
        messages = answer_messages(question, retrieval.hits, asked.variant)
        reader, watched = ReplyReader(), _Watched(grounding, asked)
        for piece in self.model.write(messages, budget, self._settings.llm_max_tokens):
            if reader.feed(piece):
                watched.show(reader)
        reader.close()
        grounded += [grounding.judge(claim) for claim in reader.claims]
        kept = [g for g in grounded if g.kept]
        if not kept and reader.says_nothing:
            return "refused", refusal(retrieval.hits, asked.variant), ()
        _require_sound(reader, kept, asked.variant)
        text, citations = compose(kept, asked.variant)
        return "answered", text, citations


class _Watched:
    """Shows whoever watches the sentences that already stand on the passages."""

    def __init__(self, grounding: Grounding, asked: Asked) -> None:
        self._grounding, self._asked, self._shown = grounding, asked, ""

    def show(self, reader: ReplyReader) -> None:
        if self._asked.on_text is None:
            return
        judged = [self._grounding.judge(claim) for claim in reader.so_far() if claim.quotes]
        carried = [g for g in judged if g.verdict == "carried"]
        text = draft_text(carried, self._asked.variant)
        if carried and text != self._shown and is_chinese(text):
            self._shown = text
            self._asked.on_text(text)


def _require_sound(reader: ReplyReader, kept: Sequence[Grounded], variant: Variant) -> None:
    """Raises LanguageModelFailed when nothing of a reply may be shown, with the likeliest why."""
    said = "\n".join(claim.text for claim in reader.claims)
    if not kept:
        if not said:
            raise LanguageModelFailed("empty")
        if _DECLINES.search(said):
            raise LanguageModelFailed("declined")
        raise LanguageModelFailed("ungrounded" if is_chinese(said) else "language")
    text = draft_text(kept, variant)
    spans = [span for grounded in kept for span in grounded.spans]
    if not is_chinese(text):
        raise LanguageModelFailed("language")
    if not is_in_script(text, variant, spans):
        raise LanguageModelFailed("script")


def _verified(grounded: Sequence[Grounded]) -> tuple[int, int]:
    return sum(g.found for g in grounded), sum(g.claimed for g in grounded)


def _tell(writing: Writing) -> None:
    usage = writing.usage
    if usage is not None:
        _log.info(
            "model: %d calls, %d + %d tokens%s, %s",
            usage.calls,
            usage.prompt_tokens,
            usage.completion_tokens,
            " (estimated)" if usage.estimated else "",
            writing.degraded or writing.draft.status,
        )
