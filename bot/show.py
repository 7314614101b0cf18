"""What a person reads in a terminal; plain text when the output is piped."""

import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeElapsedColumn,
)
from rich.table import Table
from rich.text import Text

from bot.escape import printable
from bot.texts import language_of, tells_of_a_refusal, text, why_degraded
from bot.wrap import wrapped
from rag.index_text import heading_of
from rag.result import Answer, Citation, GenerationStatus, Hit, ReindexReport, Worse
from rag.result import Progress as Step
from rag.trace import Trace

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

# Piped tables are not cut to a terminal's width.
out = Console(highlight=False, width=None if sys.stdout.isatty() else 200)
err = Console(stderr=True, highlight=False)


def show_answer(answer: Answer) -> None:
    """The answer, then its sources with each quote marked in its passage."""
    language = language_of(answer.variant)
    _show(_marked(answer.text), indent=0)
    for line in _provenance(answer, language):
        _show_line(line, "dim", indent=0)
    out.print()
    if answer.citations:
        out.print(Text(text(language, "answer.sources"), "bold"))
        for citation in answer.citations:
            _show_citation(citation, language)
        return
    out.print(Text(text(language, "answer.nearest"), "bold"))
    for hit in answer.hits[:3]:
        _show_line(_where(hit), "cyan")
        _show_line(_clipped(hit.passage.text, _EXCERPT), "dim")


def show_hits(hits: Sequence[Hit]) -> None:
    """Ranked passages with the scores of both legs."""
    for place, hit in enumerate(hits, 1):
        scores = f"{hit.score:.3f}  lexical {_score(hit.lexical)}  dense {_score(hit.dense)}"
        title = Text.assemble((f"{place}. ", "bold"), (_where(hit), "cyan"), (f"  {scores}", "dim"))
        _show(title, indent=0)
        _show(Text(printable(hit.passage.text)))


def show_trace(trace: Trace) -> None:
    """Everything that decided an answer."""
    rows = {
        "question": trace.question,
        "searched": trace.searched,
        "folded": trace.folded,
        "asks for": ", ".join(trace.kinds) or "-",
        "widened": "\n".join(
            f"{form}: {', '.join(others[:12])}" for form, others in trace.forms.items() if others
        )
        or "-",
        "weights": ", ".join(f"{name} {weight:g}" for name, weight in trace.fusion.items()),
        "support": f"{trace.support:.3f} (answers from {trace.threshold:.3f}): {trace.status}",
        "generation": trace.generation,
    }
    _show_table(rows)
    table = Table("", "fused", "lexical (rank)", "dense (rank)", "passage", box=None)
    for place, hit in enumerate(trace.hits, 1):
        table.add_row(
            str(place),
            f"{hit.score:.3f}",
            f"{_score(hit.lexical)} ({hit.lexical_rank or '-'})",
            f"{_score(hit.dense)} ({hit.dense_rank or '-'})",
            Text(f"{_where(hit)}\n{_clipped(hit.passage.text, 60)}"),  # no markup of rich's
        )
    out.print(table)
    for sentence in trace.sentences:
        _show(
            Text.assemble((f"{sentence.score:6.2f}  ", "bold"), printable(sentence.text)), indent=0
        )
    if trace.writing is not None:
        from bot.show_writing import show_writing

        show_writing(trace.writing)


def show_report(report: ReindexReport) -> None:
    """What a reindex did, one line a fact."""
    changes = report.articles
    for mark, style, paths in (
        ("+", "green", changes.added),
        ("~", "yellow", changes.changed),
        ("-", "red", changes.removed),
    ):
        for path in paths:
            out.print(Text(printable(f"{mark} {path}"), style))
    for failed in changes.failed:
        out.print(Text(printable(f"! {failed.path}: {failed.reason}"), "bold red"))
    show_worse(report.worse)
    counts = (
        f"{len(changes.added)} added, {len(changes.changed)} changed, "
        f"{len(changes.removed)} removed, {changes.unchanged} unchanged, "
        f"{len(changes.failed)} failed"
    )
    out.print(f"Articles: {counts}.")
    verb = "would be" if report.dry_run else "were"
    out.print(
        f"{report.passages} passages, of which {report.embedded} {verb} embedded; "
        f"{report.seconds:.1f} s; generation {report.generation}.",
        soft_wrap=True,
    )


def show_worse(worse: Sequence[Worse]) -> None:
    """Golden questions that got worse, each with what became of it before and now."""
    for question in worse:
        out.print(Text(f"? {question.id}: {question.question}", "yellow"), soft_wrap=True)
        out.print(Text(f"    {question.before} -> {question.after}"), soft_wrap=True)


def show_status(status: GenerationStatus) -> None:
    """What is indexed now."""
    _show_table(
        {
            "generation": status.generation or "none yet: run `youju reindex`",
            "built": status.built_at or "-",
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
    title = Text.assemble((f"[{citation.n}] ", "bold green"), (_where(citation.hit), "cyan"))
    _show(title, indent=0)
    day = (article.date or "")[:10]
    about = " · ".join(filter(None, (article.author, day, article.path, place)))
    _show_line(about, "dim")
    _show(_in_passage(citation))
    if article.url:
        _show_line(article.url, "dim underline")


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


def _where(hit: Hit) -> str:
    names = (hit.article.title, heading_of(hit.article, hit.passage))
    return printable(" › ".join(filter(None, names)))


def _clipped(passage: str, limit: int) -> str:
    line = printable(" ".join(passage.split()))
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


def _show_line(line: str, style: str, indent: int = _INDENT) -> None:
    _show(Text(printable(line), style), indent)


def fitted(text: Text, indent: int = 0) -> Sequence[Text]:
    """The lines of a text in this terminal."""
    return wrapped(text, min(out.width, _WIDEST) - indent)


def _show(text: Text, indent: int = _INDENT) -> None:
    """Wrapped as Chinese is in a terminal; one line a paragraph when piped."""
    lines = fitted(text, indent) if out.is_terminal else text.split("\n", allow_blank=True)
    for line in lines:
        out.print(Text(" " * indent) + line if line else "", soft_wrap=True)


def _show_table(rows: dict[str, str]) -> None:
    table = Table(box=None, show_header=False)
    for name, value in rows.items():
        table.add_row(Text(name, "bold"), Text(printable(value), overflow="fold"))
    out.print(table)


def _score(score: float | None) -> str:
    return "-" if score is None else f"{score:.3f}"
