"""Questions in a memory without anyone asking them: for times, numbers and vectors of choice."""

import time

import numpy as np

from bot.gaps import Vector
from bot.memory import Memory
from bot.shown import Shown


def shown(question: str, status: str = "refused") -> Shown:
    """An answer that shows nothing but its question."""
    return Shown(
        "answer", question, (), "hant", "zh-TW", status,  # type: ignore[arg-type]
        {"hant": "沒有。", "hans": "没有。"}, (), (), "g",
    )  # fmt: skip


def direction(place: int, dimensions: int = 8) -> Vector:
    """A vector of length 1 that is like no other of these."""
    vector = np.zeros(dimensions, np.float32)
    vector[place] = 1
    return vector


def asked(
    memory: Memory, question: str, vector: Vector | None = None, *,
    model: str = "m", at: float | None = None, guild: int | None = 1, person: str = "p",
) -> str:  # fmt: skip
    """A question asked in vain; its answer's id."""
    answer = shown(question)
    ident = memory.keep(answer, person, None, guild)
    if at is not None:
        memory._do("UPDATE answers SET at = ? WHERE id = ?", (at, ident))
    memory.gaps.note(ident, answer, direction(0) if vector is None else vector, model)
    return ident


def many(memory: Memory, questions: int, clusters: int) -> None:
    """Rows as `note` writes them, in one go."""
    text, now = shown("問題").to_json(), time.time()
    memory._do("BEGIN")
    for number in range(clusters):
        memory._do("INSERT INTO clusters (id) VALUES (?)", (number + 1,))
    for number in range(questions):
        ident = f"a{number}"
        row = (ident, now - number, f"p{number % 700}", None, "refused", text)
        memory._do("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", row)
        memory._do("INSERT INTO asked VALUES (?, 1, 0, 0)", (ident,))
        gap = (ident, number % clusters + 1, f"問題 {number}", "[]", bytes(4 * 384), "m")
        memory._do("INSERT INTO gaps VALUES (?, ?, ?, ?, ?, ?)", gap)
    memory._do("COMMIT")
