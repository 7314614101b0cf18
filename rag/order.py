"""What the two processes of a reindex say to each other: JSON, one message a line."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.article import FailedFile
from rag.errors import BuilderFailed, YoujuError
from rag.result import ArticleChanges, Progress, ReindexReport, Worse

if TYPE_CHECKING:
    from rag.settings import Settings

Message = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Order:
    """What to build, from what, and who asked."""

    corpus_dir: str
    data_dir: str
    embed_model: str
    passage_chars: int
    keep: int
    dry_run: bool
    full: bool
    force: bool
    rerank_model: str
    support: float
    canary_tolerance: float
    command: str
    questions: Mapping[str, Any] = field(default_factory=dict, repr=False)
    chroma_url: str = ""
    chroma_token: str = field(default="", repr=False)
    chroma_token_header: str = "Authorization"
    chroma_tenant: str = "default_tenant"
    chroma_database: str = "default_database"

    @classmethod
    def of(
        cls, settings: "Settings", *, dry_run: bool = False, full: bool = False, force: bool = False
    ) -> "Order":
        """Paths are made absolute, for the builder does not share our working directory."""
        from rag.passage_questions import wanted

        return cls(
            corpus_dir=str(settings.corpus_dir.expanduser().absolute()),
            data_dir=str(settings.data_dir.expanduser().absolute()),
            embed_model=settings.embed_model,
            passage_chars=settings.passage_chars,
            keep=settings.keep_generations,
            dry_run=dry_run,
            full=full,
            force=force,
            rerank_model=settings.rerank_model,
            support=settings.support,
            canary_tolerance=settings.canary_tolerance,
            command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]),
            questions=wanted(settings),
            chroma_url=settings.chroma_url,
            chroma_token=settings.chroma_token.get_secret_value(),
            chroma_token_header=settings.chroma_token_header,
            chroma_tenant=settings.chroma_tenant,
            chroma_database=settings.chroma_database,
        )


def line(message: Message) -> str:
    """A message as one line of ASCII."""
    return json.dumps(message) + "\n"


def progress_message(progress: Progress) -> Message:
    return {"progress": asdict(progress)}


def progress_from(message: Message) -> Progress:
    return Progress(**message["progress"])


def report_message(report: ReindexReport) -> Message:
    return {"report": asdict(report)}


def report_from(message: Message) -> ReindexReport:
    fields = dict(message["report"])
    articles = dict(fields.pop("articles"))
    failed = tuple(FailedFile(**entry) for entry in articles.pop("failed"))
    unchanged = articles.pop("unchanged")
    paths = {name: tuple(value) for name, value in articles.items()}
    worse = tuple(Worse(**entry) for entry in fields.pop("worse"))
    changes = ArticleChanges(unchanged=unchanged, failed=failed, **paths)
    return ReindexReport(articles=changes, worse=worse, **fields)


def error_message(error: YoujuError) -> Message:
    values = {name: _plain(value) for name, value in vars(error).items()}
    where = {"module": type(error).__module__, "class": type(error).__name__}
    return {"error": {**where, "message": str(error), "values": values}}


def error_from(message: Message) -> YoujuError:
    """The error as it was raised over there: its class, its sentence, its values."""
    told = message["error"]
    kind = getattr(import_module(told["module"]), told["class"], None)
    if not (isinstance(kind, type) and issubclass(kind, YoujuError)):
        return BuilderFailed(told["message"])
    error = kind.__new__(kind)
    Exception.__init__(error, told["message"])
    for name, value in told["values"].items():
        setattr(error, name, _revived(name, value))
    return error


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(entry) for entry in value]
    if isinstance(value, Worse):
        return asdict(value)
    return str(value) if isinstance(value, Path) else value


def _revived(name: str, value: Any) -> Any:
    if name == "worse":
        return tuple(Worse(**entry) for entry in value)
    return Path(value) if name == "path" else value
