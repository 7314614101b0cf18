"""What a person reads in a terminal; plain text when the output is piped."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.text import Text

from bot.escape import printable, terminal_line
from bot.texts import language_of, tells_of_a_refusal, text, why_degraded
from bot.wrap import wrapped
from corpus.article import FailedFile
from rag.index_text import heading_of
from rag.result import Answer, Citation, GenerationStatus, Hit, ReindexReport, Worse
from rag.result import Progress as Step

_INDENT = 4
_WIDEST = 100  # columns; longer lines of Chinese are hard to read
_EXCERPT = 90  # characters of a nearest passage that are shown
_AROUND = 60  # characters of a passage shown before and after the quote
_STAGES = {
    "read": "Reading articles",
    "ask": "Writing questions",
    "embed": "Embedding passages",
    "store": "Storing",
    "verify": "Verifying",
    "switch": "Switching",
}

# Piped tables are not cut to a terminal's width. Nothing that is shown is rich's markup.
out = Console(highlight=False, markup=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False, markup=False)


def show_answer(answer: Answer) -> None:
    """The answer, then its sources with each quote marked in its passage."""
    language = language_of(answer.variant)
    say(_marked(answer.text))
    for line in _provenance(answer, language):
        say(Text(printable(line), "dim"))
    out.print()
    if answer.citations:
        out.print(Text(text(language, "answer.sources"), "bold"))
        for citation in answer.citations:
            _show_citation(citation, language)
        return
    out.print(Text(text(language, "answer.nearest"), "bold"))
    for hit in answer.hits[:3]:
        say(Text(where(hit), "cyan"), _INDENT, Text("  –"))
        say(Text(excerpt(hit.passage.text, _EXCERPT), "dim"), _INDENT)


def show_hits(hits: Sequence[Hit]) -> None:
    """Ranked passages with the scores of both legs."""
    for place, hit in enumerate(hits, 1):
        show_hit(place, hit, printable(hit.passage.text))


def show_hit(place: int, hit: Hit, passage: str) -> None:
    """One ranked passage, or what is to be shown of it, with the scores of both legs."""
    lexical, dense = _leg(hit.lexical, hit.lexical_rank), _leg(hit.dense, hit.dense_rank)
    say(Text(where(hit), "cyan"), _INDENT, Text(f"{place}.", "bold"))
    say(Text(f"{hit.score:.3f}  lexical {lexical}  dense {dense}", "dim"), _INDENT)
    say(Text(passage), _INDENT)


def show_report(report: ReindexReport) -> None:
    """What a reindex did, one line a fact."""
    changes = report.articles
    for mark, style, paths in (
        ("+", "green", changes.added),
        ("~", "yellow", changes.changed),
        ("-", "red", changes.removed),
    ):
        for path in paths:
            say(Text(printable(path), style), 2, Text(mark, style))
    show_failed(changes.failed)
    show_worse(report.worse)
    counts = (
        f"{len(changes.added)} added, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed, {changes.unchanged} unchanged, "
        f"{len(changes.failed)} failed"
    )
    say(Text(f"Articles: {counts}."))
    verb = "would be" if report.dry_run else "were"
    embedded = f"{report.passages} passages, of which {report.embedded} {verb} embedded"
    say(Text(f"{embedded}; {report.seconds:.1f} s; generation {report.generation}."))


def show_failed(failed: Sequence[FailedFile], where: Console | None = None) -> None:
    """The files that could not be read, each with its reason."""
    for file in failed:
        told = Text(printable(f"{file.path}: {file.reason}"), "bold red")
        say(told, 2, Text("!", "bold red"), where)


def show_worse(worse: Sequence[Worse]) -> None:
    """Golden questions that got worse, each with what became of it before and now."""
    for question in worse:
        told = printable(f"{question.id}: {question.question}")
        say(Text(told, "yellow"), 2, Text("?", "yellow"))
        say(Text(f"{question.before} -> {question.after}"), _INDENT)


def show_status(status: GenerationStatus) -> None:
    """What is indexed now."""
    show_table(
        {
            "generation": status.generation or "none yet: run `youju reindex`",
            "built": _moment(status.built_at) if status.built_at else "-",
            "articles": str(status.articles),
            "passages": str(status.passages),
            "model": status.model,
            "kept": ", ".join(status.kept) or "-",
        }
    )


@contextmanager
def indexing() -> Iterator["StepBar"]:
    """A progress bar on stderr, gone when it ends."""
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(*columns, TimeElapsedColumn(), console=err, transient=True) as progress:
        yield StepBar(progress)


class StepBar:
    """Shows the steps of a reindex, one bar a stage; one line a stage when not in a terminal."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._tasks: dict[str, TaskID] = {}

    def __call__(self, step: Step) -> None:
        if step.stage not in self._tasks:
            name = _STAGES[step.stage]
            self._tasks[step.stage] = self._progress.add_task(name, total=step.total)
            if not err.is_terminal:
                err.print(f"{name} ({step.total}) …")
        task = self._tasks[step.stage]
        self._progress.update(task, completed=step.done, total=step.total)


def _show_citation(citation: Citation, language: str) -> None:
    article = citation.hit.article
    place = text(language, "answer.characters", start=citation.start, end=citation.end)
    say(Text(where(citation.hit), "cyan"), _INDENT, Text(f"[{citation.n}]", "bold green"))
    day = (article.date or "")[:10]
    about = " · ".join(filter(None, (article.author, day, article.path, place)))
    say(Text(printable(about), "dim"), _INDENT)
    say(_in_passage(citation), _INDENT)
    if article.url:
        say(Text(printable(article.url), "dim underline"), _INDENT)


def _in_passage(citation: Citation) -> Text:
    """The quote, marked, with some of the passage around it."""
    passage = citation.hit.passage
    start, end = citation.start - passage.start, citation.end - passage.start
    before, after = passage.text[:start], passage.text[end:]
    clipped_before = "…" + before[-_AROUND:] if len(before) > _AROUND else before
    clipped_after = after[:_AROUND] + "…" if len(after) > _AROUND else after
    opening, closing = ("", "") if out.is_terminal else ("【", "】")
    return Text.assemble(
        (printable(clipped_before), "dim"),
        (f"{opening}{printable(citation.quote)}{closing}", "bold yellow"),
        (printable(clipped_after), "dim"),
    )


def _marked(answer: str) -> Text:
    marked = Text(printable(answer))
    marked.highlight_regex(r"\[\d+\]", "bold green")
    return marked


def where(hit: Hit) -> str:
    """The title of its article and its heading."""
    names = (hit.article.title, heading_of(hit.article, hit.passage))
    return printable(" › ".join(filter(None, names)))


def excerpt(passage: str, limit: int) -> str:
    """Its beginning, on one line."""
    line = terminal_line(passage)
    return line if len(line) <= limit else line[:limit] + "…"


def _provenance(answer: Answer, language: str) -> Iterator[str]:
    """Who wrote it and what was checked, or why the model did not."""
    if answer.degraded is not None and (answer.citations or tells_of_a_refusal(answer.degraded)):
        yield why_degraded(answer.degraded, language)
    if answer.engine.startswith("llm:") and answer.verified is not None:
        verified, total = answer.verified
        yield text(language, "answer.by_model", model=answer.engine.removeprefix("llm:"))
        left_out = text(language, "answer.left_out") if verified < total else ""
        seal = text(language, "answer.seal", verified=verified, total=total)
        yield " · ".join(filter(None, (f"✓ {seal}", left_out)))


def say(
    told: Text, indent: int = 0, label: Text | None = None, where: Console | None = None
) -> None:
    """Wrapped as Chinese is in a terminal; one line a paragraph when piped. On stdout by default.

    A label stands before the first line, in the room that the indent leaves.
    """
    where = where or out
    head, margin = label or Text(), Text(" " * indent)
    head.pad_right(max(0, indent - head.cell_len))
    lines = _lines(told, indent, where) if where.is_terminal else told.split("\n", allow_blank=True)
    for line in lines:
        where.print(head + line if line else "", soft_wrap=True)
        head = margin


def complain(sentence: str) -> None:
    """What went wrong, on stderr."""
    say(Text(f"youju: {printable(sentence)}"), where=err)


def fitted(text: Text) -> Sequence[Text]:
    """The lines of a text in this terminal."""
    return _lines(text, 0, out)


def _lines(text: Text, indent: int, where: Console) -> Sequence[Text]:
    return wrapped(text, min(where.width, _WIDEST) - indent)


def show_table(rows: Mapping[str, str]) -> None:
    """Names and values, one below the other."""
    width = max(map(len, rows)) + 3
    for name, value in rows.items():
        say(Text(printable(value)), width, Text(f" {name}", "bold"))


def _leg(score: float | None, rank: int | None) -> str:
    """What one leg says of a passage, which it may not have found."""
    if score is None:
        return "-"
    return f"{score:.3f} (rank {rank})" if rank else f"{score:.3f}"


def _moment(iso: str) -> str:
    return f"{datetime.fromisoformat(iso).astimezone():%Y-%m-%d %H:%M %Z}"
