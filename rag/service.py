"""The whole story on one screen: a question in, a cited answer out; articles in, an index out."""

import threading
from collections.abc import Callable, Sequence
from time import perf_counter

from rag.answer import Answerer, quoted, refusal
from rag.content import ListedArticle
from rag.embed import Embedder
from rag.evaluate import Row, Scores, score_articles
from rag.generations import GenerationStore
from rag.ingest import reindex
from rag.lexical import FINGERPRINT as LEXICAL_FINGERPRINT
from rag.question import clean_history, clean_question
from rag.result import (
    Answer,
    Found,
    GenerationStatus,
    Progress,
    ReindexReport,
    Timings,
    Variant,
)
from rag.retrieve import Retriever
from rag.settings import Settings
from rag.trace import Trace, trace
from rag.variant import resolve, to_variant

_HITS = 5


class Service:
    """What the command line and the Discord bot both open. Every method may run in any thread."""

    def __init__(
        self,
        settings: Settings,
        store: GenerationStore,
        embedder: Embedder,
        retriever: Retriever,
        answerer: Answerer,
    ) -> None:
        self.settings, self.store = settings, store
        self.embedder, self.answerer = embedder, answerer
        self._retriever = retriever

    def ask(
        self,
        question: str,
        *,
        history: Sequence[str] = (),
        variant: Variant | None = None,
        locale: str | None = None,
    ) -> Answer:
        """Answer a question from the serving generation.

        `history` holds the earlier questions of the conversation, oldest first. Raises UsageError
        for a question without words or too long, NoIndex when nothing is indexed.
        """
        began = perf_counter()
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        script = resolve(text, variant, locale, self.settings.variant)
        with self.store.lease() as generation:
            retrieval = self._retriever.retrieve(generation, text, earlier, _HITS)
            retrieved = perf_counter()
            draft = self.answerer.answer(generation, retrieval, script)
            name = generation.name
        ended = perf_counter()
        return Answer(
            question=question,
            variant=script,
            status=draft.status,
            text=draft.text,
            citations=draft.citations,
            hits=retrieval.hits,
            generation=name,
            timings=Timings(
                *(
                    1000 * seconds
                    for seconds in (retrieved - began, ended - retrieved, ended - began)
                )
            ),
        )

    def search(self, question: str, k: int = 5, history: Sequence[str] = ()) -> Found:
        """The k best passages with the scores of both legs."""
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        with self.store.lease() as generation:
            hits = self._retriever.retrieve(generation, text, earlier, k).hits
            return Found(hits, generation.name)

    def why(self, question: str, history: Sequence[str] = ()) -> Trace:
        """Everything that decided the answer to a question."""
        text = clean_question(question, self.settings.question_chars)
        earlier = clean_history(history, self.settings.question_chars)
        with self.store.lease() as generation:
            return trace(generation, self._retriever, self.answerer, text, earlier)

    def evaluate(self, questions: Sequence[Row]) -> Scores:
        """Score questions about the installed articles."""
        with self.store.lease() as generation:
            return score_articles(generation, self._retriever, self.answerer, questions)

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
        progress: Callable[[Progress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> ReindexReport:
        """Bring the index up to date with the articles, in a child process."""
        return reindex(self.settings, dry_run=dry_run, full=full, progress=progress, cancel=cancel)

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
