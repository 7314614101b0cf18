"""Many questions in one process: a JSON line in, a JSON line out, in order."""

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TextIO, cast

from bot.flags import print_json
from bot.forms import Json, answer_form
from rag.errors import UsageError
from rag.result import Answer, Timings, Variant
from rag.service import Service
from rag.variant import resolve

_VARIANTS = (None, "auto", "hant", "hans")


class BadBatch(UsageError):
    def __init__(self, where: str, why: str) -> None:
        super().__init__(f"{where} cannot be used ({why}).")
        self.where, self.why = where, why


def answer_batch(service: Service, path: Path, default: Variant | None) -> None:
    """Answer each line {"id"?, "question", "history"?, "variant"?} as one JSON line on stdout.

    A question that cannot be asked (empty, too long) is answered by a refusal with "error", so
    that every line has its answer. A line that is no such object is a BadBatch before any answer.
    """
    for row in list(_rows(path)):
        print_json(_answered(service, row, default))


def _answered(service: Service, row: Json, default: Variant | None) -> Json:
    wanted = row.get("variant")
    variant = default if wanted in (None, "auto") else cast(Variant, wanted)
    try:
        answer = service.ask(row["question"], history=row.get("history") or (), variant=variant)
    except UsageError as error:
        script = resolve(row["question"], variant, None, service.settings.variant)
        return answer_form(_unasked(row["question"], script), row.get("id")) | {"error": str(error)}
    return answer_form(answer, row.get("id"))


def _unasked(question: str, variant: Variant) -> Answer:
    return Answer(question, variant, "refused", "", (), (), "", Timings(0.0, 0.0, 0.0))


def _rows(path: Path) -> Iterator[Json]:
    try:
        with _opened(path) as file:
            for number, line in enumerate(file, 1):
                if line.strip():
                    yield _row(line, f"{path}, line {number},")
    except (OSError, UnicodeDecodeError) as error:
        raise BadBatch(str(path), getattr(error, "strerror", None) or str(error)) from error


def _opened(path: Path) -> TextIO:
    return sys.stdin if str(path) == "-" else path.open(encoding="utf-8-sig")


def _row(line: str, where: str) -> Json:
    try:
        row: Any = json.loads(line)
    except ValueError as error:
        raise BadBatch(where, f"it is not JSON: {error}") from error
    if not isinstance(row, dict) or not isinstance(row.get("question"), str):
        raise BadBatch(where, 'it is not an object with a text "question"')
    history = row.get("history") or []
    if not isinstance(history, list) or not all(isinstance(earlier, str) for earlier in history):
        raise BadBatch(where, '"history" is not a list of texts')
    if row.get("variant") not in _VARIANTS:
        raise BadBatch(where, '"variant" is none of auto, hant, hans')
    return row
