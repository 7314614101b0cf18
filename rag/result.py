"""The values that travel from the index to the front doors: frozen, plain, serialisable."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

from corpus.article import Article, FailedFile, Passage

Variant = Literal["hant", "hans"]
Status = Literal["answered", "refused"]
VECTORS = "vectors"  # the reason of an answer that was found by words alone


@dataclass(frozen=True, slots=True)
class Hit:
    """A retrieved passage. Scores: lexical is BM25, dense is cosine, `score` is the fused one.

    A leg that did not see the passage has the score None and the rank None; ranks count from 1.
    """

    passage: Passage
    article: Article
    score: float
    lexical: float | None = None
    dense: float | None = None
    lexical_rank: int | None = None
    dense_rank: int | None = None


@dataclass(frozen=True, slots=True)
class Found:
    """The passages that a search found, best first, and the generation they come from."""

    hits: tuple[Hit, ...]
    generation: str


@dataclass(frozen=True, slots=True)
class Citation:
    """A verbatim quotation: `quote == article.text[start:end]`, lying inside `hit.passage`."""

    n: int
    hit: Hit
    quote: str
    start: int
    end: int
    score: float

    @classmethod
    def of(cls, n: int, hit: Hit, start: int, end: int, score: float) -> "Citation":
        """The n-th, of what stands at `[start, end)` of the hit's passage."""
        at = hit.passage.start
        return cls(n, hit, hit.passage.text[start:end], at + start, at + end, score)


@dataclass(frozen=True, slots=True)
class Timings:
    """Milliseconds."""

    retrieve: float
    answer: float
    total: float


@dataclass(frozen=True, slots=True)
class Usage:
    """What a language model was asked for one question; tokens as the server counts them.

    `estimated` says that some server did not count, and that we did, roughly.
    """

    prompt_tokens: int = 0
    completion_tokens: int = 0
    calls: int = 0
    estimated: bool = False


@dataclass(frozen=True, slots=True)
class Answer:
    """What a person gets. `text` carries [n] marks that point to `citations`.

    `hits` are the five best retrieved passages, best first, whether answered or refused.
    `engine` is "extractive" or "llm:<model>"; `degraded` says in one word why a model that is
    configured did not answer (docs/LLM.md lists them), or that the vectors could not be asked
    (VECTORS); with a + between them when both. `verified` counts the quotes of a model's
    answer that stand in the articles, and those it claimed; `usage` what the model cost.
    `weak`: answered, though the passages hardly support it; often wrong.
    """

    question: str
    variant: Variant
    status: Status
    text: str
    citations: tuple[Citation, ...]
    hits: tuple[Hit, ...]
    generation: str
    timings: Timings
    engine: str = "extractive"
    degraded: str | None = None
    verified: tuple[int, int] | None = None
    usage: Usage | None = None
    weak: bool = False


@dataclass(frozen=True, slots=True)
class ArticleChanges:
    """Paths of articles, against the generation that served before."""

    added: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()
    removed: tuple[str, ...] = ()
    unchanged: int = 0
    failed: tuple[FailedFile, ...] = ()


@dataclass(frozen=True, slots=True)
class Worse:
    """A golden question that a new generation answers worse: what became of it before and now."""

    id: str
    question: str
    before: str
    after: str


@dataclass(frozen=True, slots=True)
class ReindexReport:
    """What a reindex did, or with a dry run would do. `embedded` counts passages.

    `worse` names golden questions that got worse, though not so many that it was not done.
    """

    generation: str
    articles: ArticleChanges
    passages: int
    embedded: int
    seconds: float
    dry_run: bool = False
    worse: tuple[Worse, ...] = ()


@dataclass(frozen=True, slots=True)
class Progress:
    """One step of a reindex: `done` of `total` units of `stage`."""

    stage: Literal["read", "ask", "embed", "store", "verify", "switch"]
    done: int
    total: int


Listener = Callable[[Progress], None]


@dataclass(frozen=True, slots=True)
class GenerationStatus:
    """What the store holds now."""

    generation: str | None
    built_at: str | None
    articles: int
    passages: int
    model: str
    kept: tuple[str, ...] = field(default=())
