"""What the two processes of a reindex say to each other: JSON, one message a line."""

import json
import sys
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from corpus.article import FailedFile
from rag.errors import BuilderFailed, YoujuError
from rag.result import ArticleChanges, Progress, ReindexReport

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
    command: str

    @classmethod
    def of(cls, settings: "Settings", *, dry_run: bool, full: bool) -> "Order":
        """Paths are made absolute, for the builder does not share our working directory."""
        return cls(
            corpus_dir=str(settings.corpus_dir.expanduser().absolute()),
            data_dir=str(settings.data_dir.expanduser().absolute()),
            embed_model=settings.embed_model,
            passage_chars=settings.passage_chars,
            keep=settings.keep_generations,
            dry_run=dry_run,
            full=full,
            command=" ".join([Path(sys.argv[0]).name, *sys.argv[1:2]]),
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
    return ReindexReport(
        articles=ArticleChanges(unchanged=unchanged, failed=failed, **paths), **fields
    )


def error_message(error: YoujuError) -> Message:
    values = {k: str(v) if isinstance(v, Path) else v for k, v in vars(error).items()}
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
        setattr(error, name, Path(value) if name == "path" else value)
    return error
