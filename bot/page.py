"""An evaluation as one HTML page that needs nothing else: figures, then the questions that fail."""

from collections.abc import Mapping
from html import escape
from pathlib import Path
from typing import Any

_STYLE = """
body { font: 15px/1.6 system-ui, sans-serif; margin: 2rem auto; max-width: 70rem; padding: 0 1rem }
table { border-collapse: collapse; margin: 1rem 0 }
td, th { border-bottom: 1px solid #ddd; padding: .3rem .8rem; text-align: right }
td:first-child, th:first-child, .text td { text-align: left }
"""


def write_page(path: Path, questions: Path, scores: Mapping[str, Any]) -> None:
    """Write the page; the folder is made when it is not there."""
    figures = {n: v for n, v in scores.items() if not isinstance(v, dict | list)}
    parts = [f"<h1>{escape(questions.name)}</h1>", _table({"all": figures})]
    if "legs" in scores:
        parts += ["<h2>legs</h2>", _table(scores["legs"])]
    for name, rows in (scores.get("by") or {}).items():
        parts += [f"<h2>by {escape(name)}</h2>", _table(rows)]
    if scores.get("failures"):
        parts += ["<h2>questions that fail</h2>", _failures(scores["failures"])]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_page(questions.name, "\n".join(parts)), encoding="utf-8")


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    body = "".join(
        f"<tr><td>{escape(label)}</td>{''.join(_cell(row.get(name)) for name in names)}</tr>"
        for label, row in rows.items()
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _failures(failures: list[Mapping[str, Any]]) -> str:
    names = ("question", "status", "rank", "support", "answer")
    head = "".join(f"<th>{name}</th>" for name in names)
    body = "".join(
        f"<tr>{''.join(_cell(failure.get(name)) for name in names)}</tr>" for failure in failures
    )
    return f'<table class="text"><tr>{head}</tr>{body}</table>'


def _cell(value: object) -> str:
    shown = "–" if value is None else f"{value:.3f}" if isinstance(value, float) else str(value)
    return f"<td>{escape(shown)}</td>"


def _page(title: str, body: str) -> str:
    return (
        f'<!doctype html><html lang="zh"><meta charset="utf-8"><title>{escape(title)}</title>'
        f"<style>{_STYLE}</style><body>{body}</body></html>\n"
    )
