"""Two runs of an evaluation side by side: which figures fell, which questions turned."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rag.errors import UsageError
from rag.evaluation import Evaluation, Scores
from rag.examined import Examined

WORSE = 7  # the exit code of a run that is worse than the one it was compared with
_FORM = 1
# Only these are judged. Milliseconds depend on what else the machine does, counts on the set.
_HIGHER_IS_BETTER = ("hit@", "mrr", "answer_in_best", "answered", "correct", "refused", "script")
_LOWER_IS_BETTER = ("over_refused",)
_SAME = ("questions", "passages")


class BadRun(UsageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The run {path} cannot be compared with ({why}).")
        self.path, self.why = path, why


@dataclass(frozen=True, slots=True)
class Run:
    """An earlier run: what `--json` printed, or with `--save` each question as well."""

    scores: Scores
    examined: tuple[Examined, ...] = ()


@dataclass(frozen=True, slots=True)
class Change:
    """One figure before and after. `gain` is positive when it is better now."""

    name: str
    before: float
    after: float

    @property
    def gain(self) -> float:
        sign = -1 if self.name.rsplit(" ", 1)[-1] in _LOWER_IS_BETTER else 1
        return sign * (self.after - self.before)


@dataclass(frozen=True, slots=True)
class Comparison:
    """What changed against an earlier run. `broken` were right before, `mended` were wrong."""

    changes: tuple[Change, ...]
    tolerance: float
    broken: tuple[Examined, ...] = ()
    mended: tuple[Examined, ...] = ()

    @property
    def worse(self) -> tuple[Change, ...]:
        """What fell by more than the tolerance; sums of binary fractions are given a little."""
        return tuple(c for c in self.changes if c.gain < -self.tolerance - 1e-9)


def save_run(path: Path, evaluation: Evaluation) -> None:
    """Write a run with each of its questions, for `--against` later."""
    form = {
        "form": _FORM,
        "scores": evaluation.scores,
        "questions": [examined.form() for examined in evaluation.examined],
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(form, ensure_ascii=False), encoding="utf-8")


def read_run(path: Path) -> Run:
    """What `--json` printed or `--save` wrote; BadRun says what is wrong with it."""
    try:
        raw = json.loads(path.read_text(encoding="utf-8-sig"))
    except (OSError, ValueError) as error:
        raise BadRun(path, str(error)) from error
    try:
        if "form" not in raw:
            return Run(_with_figures(path, raw))
        examined = tuple(Examined.from_form(form) for form in raw["questions"])
        return Run(_with_figures(path, raw["scores"]), examined)
    except (TypeError, KeyError, AttributeError) as error:
        raise BadRun(path, f"it is no run of `youju eval`: {error!r}") from error


def compare(path: Path, before: Run, now: Evaluation, tolerance: float) -> Comparison:
    """Every figure that both runs have; BadRun when they did not ask the same questions."""
    for name in _SAME:
        if before.scores.get(name) != now.scores.get(name):
            told = f"it has {before.scores.get(name)} {name}, this one {now.scores.get(name)}"
            raise BadRun(path, told)
    old, new = dict(_figures(before.scores)), dict(_figures(now.scores))
    changes = tuple(Change(name, old[name], new[name]) for name in new if name in old)
    return Comparison(changes, tolerance, *_turned(before.examined, now.examined))


def _with_figures(path: Path, scores: Mapping[str, Any]) -> Scores:
    if not dict(_figures(scores)):
        raise BadRun(path, "it holds no figures of `youju eval`")
    return dict(scores)


def _figures(scores: Mapping[str, Any], prefix: str = "") -> Iterator[tuple[str, float]]:
    for name, value in scores.items():
        judged = name.startswith(_HIGHER_IS_BETTER) or name in _LOWER_IS_BETTER
        if judged and isinstance(value, int | float):
            yield prefix + name, float(value)
        elif name == "legs":
            for leg, figures in value.items():
                yield from _figures(figures, f"{leg} ")


def _turned(
    before: Sequence[Examined], now: Sequence[Examined]
) -> tuple[tuple[Examined, ...], tuple[Examined, ...]]:
    """The questions that are wrong now and were right, and the other way round."""
    fine = {(e.id, e.question): e.fine for e in before}
    known = [(e, fine[e.id, e.question]) for e in now if (e.id, e.question) in fine]
    broken = tuple(e for e, was_fine in known if was_fine and not e.fine)
    return broken, tuple(e for e, was_fine in known if e.fine and not was_fine)
