"""`youju eval`: run an evaluation and print its figures."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from rich.table import Table

from bot.show import err, out
from rag.build import build_service
from rag.evaluate import Scores, read_rows, score_articles, score_passages, throwaway
from rag.settings import Settings

_log = logging.getLogger(__name__)


def run_evaluation(
    settings: Settings, questions: Path, passages: Path | None, report: Path | None
) -> Scores:
    """The figures of DESIGN's two forms, by whether passages are given."""
    service = build_service(settings)
    if passages is None:
        scores = service.evaluate(read_rows(questions, "question"))
    else:
        rows = read_rows(passages, "id", "text")
        asked = read_rows(questions, "question", "passage_id")
        err.print(f"Indexing {len(rows)} passages …")
        with throwaway(rows, service.embedder, settings.data_dir / "embeddings.sqlite") as index:
            err.print(f"Asking {len(asked)} questions …")
            scores = score_passages(index, service.embedder, service.answerer, asked)
    if report is not None:
        from bot.page import write_page

        write_page(report, questions, scores)
    return scores


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
    table = Table("", *names, box=None)
    for label, row in rows.items():
        table.add_row(label, *(_cell(row.get(name)) for name in names))
    return table


def _cell(value: object) -> str:
    if value is None:
        return "-"
    return f"{value:.3f}" if isinstance(value, float) else str(value)
