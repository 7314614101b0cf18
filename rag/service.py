"""The whole story on one screen: a question in, a cited answer out; articles in, an index out."""

import logging
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from time import perf_counter
from typing import TYPE_CHECKING

from rag.answer import Answerer, quoted, refusal
from rag.content import ListedArticle
from rag.embed import Embedder
from rag.evaluate import Evaluation, Row, evaluate_articles
from rag.generation import Generation
from rag.generations import GenerationStore
from rag.ingest import reindex
from rag.lexical import FINGERPRINT as LEXICAL_FINGERPRINT
from rag.question import clean_history, clean_question
from rag.result import (
    Answer,
    Found,
    GenerationStatus,
    Listener,
    ReindexReport,
    Timings,
    Variant,
)
from rag.retrieve import Retriever
from rag.settings import Settings
from rag.term_lookup import Lookup, look_up
from rag.trace import Trace, trace
from rag.variant import resolve, to_variant
from rag.writing import HITS, Asked, Writing

if TYPE_CHECKING:
    from rag.author import Author
    from rag.terms_try import Trial

_log = logging.getLogger(__name__)
_TRACED = 10  # passages that a trace tells
_WEAK = 0.1  # above the threshold of support


class Service:
    """What the command line and the Discord bot both open. Every method may run in any thread."""

    def __init__(
        self,
        settings: Settings,
        store: GenerationStore,
        embedder: Embedder,
        retriever: Retriever,
        answerer: Answerer,
        author: "Author | None" = None,
    ) -> None:
        self.settings, self.store = settings, store
        self.embedder, self.answerer, self.author = embedder, answerer, author
        self._retriever = retriever

    def ask(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        variant: Variant | None = None,
        locale: str | None = None,
        on_text: Callable[[str], None] | None = None,
        stop: threading.Event | None = None,
    ) -> Answer:
        """Answer a question from the serving generation.

        `history` holds the earlier questions of the conversation, oldest first. Raises UsageError
        for a question without words or too long, NoIndex when nothing is indexed.

        With a language model, `on_text` is called in this thread with the sentences so far that
        stand on the articles, all of them each time and without marks; `stop` ends the writing.
        """
        began = perf_counter()
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        script = resolve(text, variant, locale, self.settings.variant)
        with self.store.lease() as generation:
            asked = Asked(text, earlier, script, on_text, stop)
            writing = self._write(generation, asked)
            draft, name = writing.draft, generation.name
        lacking = (writing.degraded, writing.retrieval.degraded)
        _log.info(draft.status, extra={"support": round(draft.support, 3), "generation": name})
        ended = perf_counter()
        return Answer(
            question=question,
            variant=script,
            status=draft.status,
            text=draft.text,
            citations=draft.citations,
            hits=writing.retrieval.hits,
            generation=name,
            timings=Timings(
                *(
                    1000 * seconds
                    for seconds in (
                        writing.retrieved - began,
                        ended - writing.retrieved,
                        ended - began,
                    )
                )
            ),
            engine=writing.engine,
            degraded="+".join(filter(None, lacking)) or None,
            verified=writing.verified,
            usage=writing.usage,
            weak=draft.status == "answered" and draft.support < self.answerer.threshold + _WEAK,
        )

    def _write(self, generation: Generation, asked: Asked, k: int = HITS) -> Writing:
        if self.author is not None:
            return self.author.answer(generation, asked, k)
        retrieval = self._retriever.retrieve(generation, asked.question, asked.history, k)
        retrieved = perf_counter()
        draft = self.answerer.answer(generation, retrieval.best(HITS), asked.variant)
        return Writing(retrieval, retrieved, draft)

    def search(self, question: str, k: int = 5, history: Sequence[str] = ()) -> Found:
        """The k best passages with the scores of both legs; nothing is read for an answer."""
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        with self.store.lease() as generation:
            unread = replace(self._retriever.fusion, judged=False)
            hits = self._retriever.retrieve(generation, text, earlier, k, unread).hits
            return Found(hits, generation.name)

    def why(self, question: str, history: Sequence[str] = ()) -> Trace:
        """Everything that decided the answer to a question."""
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        asked = Asked(text, earlier, resolve(text, default=self.settings.variant))
        with self.store.lease() as generation:
            writing = self._write(generation, asked, _TRACED)
            threshold, fusion = self.answerer.threshold, self._retriever.fusion
            told = trace(generation, text, writing, threshold, fusion)
        return told if self.author is None else replace(told, writing=writing)

    def examine(self, questions: Sequence[Row]) -> Evaluation:
        """Score questions about the installed articles, and tell what became of each."""
        with self.store.lease() as generation:
            return evaluate_articles(generation, self._retriever, self.answerer, questions)

    def look_up(self, word: str, most: int = 5) -> Lookup:
        """A word in all its forms and the passages where any of them occurs."""
        text = clean_question(word, self.settings.question_chars)
        with self.store.lease() as generation:
            return look_up(text, self.settings.corpus_dir, generation, most)

    def try_terms(self, rows: Sequence[Sequence[str]], questions: Sequence[Row]) -> "Trial":
        """What rows of a `terms.csv` would change in the answers to some questions."""
        from rag.terms_try import try_rows

        parts = (self._retriever, self.answerer, self.settings.corpus_dir)
        with self.store.lease() as generation:
            return try_rows(generation, *parts, rows, questions)

    def articles(self) -> list[ListedArticle]:
        """Every article that is indexed, without its text, in order."""
        with self.store.lease() as generation:
            return generation.content.articles()

    def article_text(self, article_id: str) -> str | None:
        """The cleaned text of an article as it is indexed now; None when it is not any more."""
        with self.store.lease() as generation:
            try:
                return generation.content.text(article_id)
            except KeyError:
                return None

    def in_script(self, answer: Answer, variant: Variant) -> str:
        """The text of an answer in a script, from its sources where they are the text itself."""
        if variant == answer.variant:
            return answer.text
        if answer.status == "refused":
            return refusal(answer.hits, variant)
        if answer.engine == "extractive":
            return quoted(answer.citations, variant)
        names = {hit.article.author for hit in answer.hits if hit.article.author}
        return to_variant(answer.text, variant, tuple(names))

    def status(self) -> GenerationStatus:
        """What is indexed now."""
        return self.store.status(self.settings.embed_model or "default")

    def reindex(
        self,
        *,
        dry_run: bool = False,
        full: bool = False,
        force: bool = False,
        progress: Listener | None = None,
        cancel: threading.Event | None = None,
    ) -> ReindexReport:
        """Bring the index up to date with the articles, in a child process."""
        report = reindex(
            self.settings,
            dry_run=dry_run,
            full=full,
            force=force,
            progress=progress,
            cancel=cancel,
        )
        self.store.shelf.look_again()
        return report

    def rollback(self) -> str:
        """Serve the generation before this one again; its name."""
        return self.store.rollback()

    def index_needed(self) -> str | None:
        """Why nothing can be answered before a reindex, in one sentence; None when all is well."""
        generation = self.store.current()
        if generation is None:
            return "There is no index yet."
        made_by = generation.manifest.fingerprints
        if made_by.get("model") != self.embedder.fingerprint:
            return f"The index was built with another model ({generation.manifest.model})."
        if made_by.get("lexical") != LEXICAL_FINGERPRINT:
            return "The index was built by another version of youju."
        return None

    def close(self) -> None:
        self.store.close()
