"""`youju eval`: run an evaluation and print its figures."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rich.table import Table
from rich.text import Text

from bot.comparison import Comparison, Run, compare, read_run, save_run
from bot.escape import printable
from bot.open import opened
from bot.show import err, out, say, show_table
from rag.evaluate import Evaluation, Row, evaluate_passages, read_rows, throwaway
from rag.examined import share_of_citations
from rag.result import Variant
from rag.service import Service
from rag.settings import Settings
from rag.variant import to_variant


@dataclass(frozen=True, slots=True)
class Wanted:
    """What to score, and what to make of it. `script` converts the questions first."""

    questions: Path
    passages: Path | None = None
    script: Variant | None = None
    report: Path | None = None
    save: Path | None = None
    against: Path | None = None
    tolerance: float = 0.01


def run_evaluation(settings: Settings, wanted: Wanted) -> tuple[Evaluation, Comparison | None]:
    """One of two forms, by whether passages are given; see `rag.evaluate`."""
    if wanted.report is not None:
        from bot.plots import require_plots

        require_plots(settings.data_dir / "matplotlib")
    asked = _asked(wanted)
    before = read_run(wanted.against) if wanted.against is not None else None
    with opened(settings, index=wanted.passages is None) as service:
        evaluation = _evaluated(service, asked, wanted.passages)
    comparison = _compared(wanted, before, evaluation)
    if wanted.save is not None:
        save_run(wanted.save, evaluation)
    if wanted.report is not None:
        from bot.page import write_page

        write_page(wanted.report, wanted.questions.name, settings, evaluation, comparison)
    return evaluation, comparison


def _asked(wanted: Wanted) -> list[Row]:
    needed = () if wanted.passages is None else ("passage_id",)
    rows = read_rows(wanted.questions, "question", *needed)
    if wanted.script is None:
        return rows
    return [{**row, "question": to_variant(row["question"], wanted.script)} for row in rows]


def _compared(wanted: Wanted, before: Run | None, now: Evaluation) -> Comparison | None:
    if before is None or wanted.against is None:
        return None
    return compare(wanted.against, before, now, wanted.tolerance)


def _evaluated(service: Service, asked: list[Row], passages: Path | None) -> Evaluation:
    if passages is None:
        return service.examine(asked)
    rows = read_rows(passages, "id", "text")
    err.print(f"Indexing {len(rows)} passages …")
    cache = service.settings.data_dir / "embeddings.sqlite"
    with throwaway(rows, service.embedder, cache) as index:
        err.print(f"Asking {len(asked)} questions …")
        return evaluate_passages(index, service.embedder, service.answerer, asked)


def show_scores(evaluation: Evaluation) -> None:
    """The figures as tables: all together, then by leg, variant and kind."""
    scores = evaluation.scores
    plain = {name: value for name, value in scores.items() if not isinstance(value, dict | list)}
    exact = {"verbatim citations": share_of_citations(evaluation.examined)}
    show_table({name: _cell(value) for name, value in (plain | exact).items()})
    if scores.get("legs"):
        out.print(_table(scores["legs"]))
    for rows in (scores.get("by") or {}).values():
        out.print(_table(rows))
    for failure in scores.get("failures", ())[:10]:
        gold = f", gold at {failure['rank']}" if failure["rank"] else ""
        say(Text(printable(f"{failure['question']} → {failure['status']}{gold}")), 2, Text("✗"))


def show_comparison(comparison: Comparison) -> None:
    """What changed, and below it what is worse than is tolerated; on stderr."""
    for change in comparison.changes:
        if abs(change.gain) > 1e-9:
            err.print(f"{change.name}: {change.before:.4f} → {change.after:.4f}")
    for change in comparison.worse:
        err.print(
            f"✗ {change.name} got worse by {-change.gain:.4f}, more than {comparison.tolerance}"
        )
    for examined in comparison.broken[:10]:
        err.print(printable(f"✗ was right: {examined.question}"))


def _table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table(box=None, padding=(0, 1, 0, 0))
    for name in ("", *names):
        table.add_column(name, overflow="fold")
    for label, row in rows.items():
        table.add_row(label, *(_cell(row.get(name)) for name in names))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
