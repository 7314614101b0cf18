"""The plots of a report, as SVG to stand inside an HTML page.

matplotlib is not needed for anything else, so it is an extra of its own and imported here only.
Letters stay text that the browser draws; labels are English, for matplotlib's own font, by which
it measures them, has no Chinese.
"""

import io
import os
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from rag.errors import ConfigurationError
from rag.examined import Curve

_COLOURS = ("#2f6f4f", "#c8963e", "#4b6a9b", "#a33b3b")
_INK, _GRID = "#333333", "#dddddd"


class NoPlots(ConfigurationError):
    def __init__(self) -> None:
        super().__init__("A report needs matplotlib: run `pip install 'youju[report]'`.")


def require_plots(scratch: Path) -> None:
    """NoPlots without the library. It keeps a list of fonts, which goes into `scratch`."""
    if find_spec("matplotlib") is None:
        raise NoPlots
    os.environ.setdefault("MPLCONFIGDIR", str(scratch))


def bars(rows: Mapping[str, Mapping[str, float | None]]) -> str:
    """Groups of bars from 0 to 1: `rows` by leg, each with the same figures."""

    def draw(axes: Any) -> None:
        names = list(next(iter(rows.values())))
        width = 0.8 / len(rows)
        for place, (label, figures) in enumerate(rows.items()):
            at = [n + place * width for n in range(len(names))]
            heights = [figures[name] or 0.0 for name in names]
            drawn = axes.bar(at, heights, width * 0.92, label=label, color=_COLOURS[place])
            axes.bar_label(drawn, fmt="%.2f", fontsize=8, color=_INK)
        axes.set_xticks([n + 0.4 - width / 2 for n in range(len(names))], names)
        axes.set_ylim(0, 1.08)
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), ncols=len(rows), frameon=False)

    return _drawn("bars", draw)


def curves(curve: Curve, threshold: float) -> str:
    """What each threshold would refuse and answer, with the one in use marked."""
    lines = {
        "refused that must be": curve.rejected,
        "over-refused": curve.over_refused,
        "answered, and right": curve.right,
    }

    def draw(axes: Any) -> None:
        for colour, (label, values) in zip(_COLOURS, lines.items(), strict=False):
            if any(value is not None for value in values):
                shown = [float("nan") if value is None else value for value in values]
                axes.plot(curve.thresholds, shown, label=label, color=colour, linewidth=2)
        axes.axvline(threshold, color=_INK, linestyle=":", linewidth=1)
        axes.text(threshold, 1.03, f"{threshold:g}", ha="center", fontsize=9, color=_INK)
        axes.set(xlim=(0, 1), ylim=(0, 1.02), xlabel="YOUJU_SUPPORT", ylabel="share")
        axes.legend(loc="upper center", bbox_to_anchor=(0.5, -0.2), ncols=3, frameon=False)

    return _drawn("curves", draw)


def trade(curve: Curve, threshold: float) -> str:
    """Rejection against over-refusal: up and left is better."""

    def draw(axes: Any) -> None:
        pairs = zip(curve.over_refused, curve.rejected, strict=True)
        known = [(x, y) for x, y in pairs if x is not None and y is not None]
        axes.plot(*zip(*known, strict=True), color=_COLOURS[0], linewidth=2, marker=".")
        at = min(range(len(curve.thresholds)), key=lambda n: abs(curve.thresholds[n] - threshold))
        axes.plot(*known[at], "o", color=_COLOURS[3], markersize=8)
        axes.annotate(f" {threshold:g}", known[at], fontsize=9, color=_INK, va="top")
        axes.set(xlim=(-0.02, 1.02), ylim=(-0.02, 1.05))
        axes.set(xlabel="answerable, refused", ylabel="unanswerable, refused")

    return _drawn("trade", draw)


def histogram(milliseconds: Sequence[float], marks: Mapping[str, float]) -> str:
    """How many answers took how long, with some percentiles marked."""

    def draw(axes: Any) -> None:
        axes.hist(milliseconds, bins=min(40, max(8, len(milliseconds) // 5)), color=_COLOURS[2])
        top = axes.get_ylim()[1]
        for name, value in marks.items():
            axes.axvline(value, color=_INK, linestyle=":", linewidth=1)
            axes.text(value, top, f" {name}", fontsize=9, color=_INK, va="top")
        axes.set(xlabel="milliseconds of a whole answer", ylabel="questions")
        axes.set_xlim(left=0)

    return _drawn("histogram", draw)


def _drawn(name: str, draw: Callable[[Any], None]) -> str:
    import matplotlib
    from matplotlib.backends.backend_svg import FigureCanvasSVG
    from matplotlib.figure import Figure

    # The salt keeps the ids of two plots on one page apart, and the same from run to run.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": name}):
        figure = Figure(figsize=(6.4, 3.4), layout="constrained")
        axes = figure.subplots()
        _plain(axes)
        draw(axes)
        svg = io.StringIO()
        FigureCanvasSVG(figure).print_svg(svg, metadata={"Date": None})  # type: ignore[no-untyped-call]
    return svg.getvalue()[svg.getvalue().index("<svg") :]


def _plain(axes: Any) -> None:
    axes.grid(axis="y", color=_GRID, linewidth=0.8)
    axes.set_axisbelow(True)
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.tick_params(colors=_INK, length=0)
