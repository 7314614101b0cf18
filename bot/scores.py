"""`youju eval`: run an evaluation and print its figures."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from bot.open import opened
from bot.show import err, out
from rag.evaluate import Row, Scores, read_rows, score_passages, throwaway
from rag.result import Variant
from rag.service import Service
from rag.settings import Settings
from rag.variant import to_variant


def run_evaluation(
    settings: Settings,
    questions: Path,
    passages: Path | None,
    report: Path | None,
    script: Variant | None = None,
) -> Scores:
    """The figures of one of two forms, by whether passages are given; see `rag.evaluate`."""
    asked = read_rows(questions, "question", *(() if passages is None else ("passage_id",)))
    if script is not None:
        asked = [{**row, "question": to_variant(row["question"], script)} for row in asked]
    with opened(settings, index=passages is None) as service:
        scores = _scores(service, asked, passages)
    if report is not None:
        from bot.page import write_page

        write_page(report, questions, scores)
    return scores


def _scores(service: Service, asked: list[Row], passages: Path | None) -> Scores:
    if passages is None:
        return service.evaluate(asked)
    rows = read_rows(passages, "id", "text")
    err.print(f"Indexing {len(rows)} passages …")
    cache = service.settings.data_dir / "embeddings.sqlite"
    with throwaway(rows, service.embedder, cache) as index:
        err.print(f"Asking {len(asked)} questions …")
        return score_passages(index, service.embedder, service.answerer, asked)


def show_scores(scores: Mapping[str, Any]) -> None:
    """The figures as tables: all together, then by leg, variant and kind."""
    plain = {name: value for name, value in scores.items() if not isinstance(value, dict | list)}
    out.print(_table({"all": plain}))
    if scores.get("legs"):
        out.print(_table(scores["legs"]))
    for rows in (scores.get("by") or {}).values():
        out.print(_table(rows))
    for failure in scores.get("failures", ())[:10]:
        out.print(f"✗ {failure['question']} → {failure['status']}, gold at {failure['rank']}")


def _table(rows: Mapping[str, Mapping[str, Any]]) -> Table:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    table = Table("", *names, box=None, padding=(0, 2, 0, 0))
    for label, row in rows.items():
        table.add_row(label, *(_cell(row.get(name)) for name in names))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
