"""youju against what a user would write instead, and against the floor: `make bench`.

    python -m benchmarks.compare [--sizes 300,1000,10000,100000] [--runs 5] [--eval FOLDER]

Every figure comes from processes of their own, the sides in turn, so that a machine that is busy
for a while is busy for all of them. Of `runs` runs the median is told, the least and the most.

- Up to `--encoded` passages (1,000) both sides encode with the shipped model. Beyond, that would
  take two cores too long: the vectors of passages are a projection of hashed character pairs
  (`benchmarks.made`), which youju finds in its embedding cache and stock computes on the way.
  Questions are always encoded by the model.
- A warm query is `search` for youju and `retrieve` for stock: neither writes an answer. `ask` is
  youju's whole answer, by the default reader and by the linear one alone.
- The cold `ask` of stock loads its store and retrieves.
"""

import argparse
import json
import os
import platform
import random
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from itertools import count
from pathlib import Path
from typing import Any

from benchmarks import made

_ROOT = Path(__file__).resolve().parents[1]
_COLD_UP_TO = 1000  # passages; a cold start hardly depends on them
_QUESTIONS = 115
_SETS = ("drcd_dev", "cmrc2018_dev", "colloquial")
_CHARS = 320
_WHOLE = ("youju, whole answer", "youju, whole answer, linear reader")
_GIVEN = "indexing, vectors given"
_COLD = "這篇文章說了什麼？"


@dataclass(frozen=True, slots=True)
class Figure:
    """One thing measured several times on one side."""

    what: str
    passages: int
    side: str
    unit: str
    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    def told(self) -> str:
        spread = f" ({min(self.values):.3g}–{max(self.values):.3g})" if len(self.values) > 1 else ""
        return f"{self.median:.3g}{spread}"


@dataclass(slots=True)
class Results:
    """What was measured so far, and on what."""

    machine: str
    figures: list[Figure] = field(default_factory=list)
    hits: dict[str, Any] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)

    def add(
        self, what: str, passages: int, unit: str, sides: Mapping[str, Sequence[float]]
    ) -> None:
        for side, values in sides.items():
            self.figures.append(Figure(what, passages, side, unit, tuple(values)))

    def take(self, told: Mapping[str, Any]) -> None:
        """Add what another run wrote."""
        self.figures += [Figure(**{**f, "values": tuple(f["values"])}) for f in told["figures"]]
        self.hits |= told["hits"]
        self.notes += told["notes"]

    def of(self, what: str, passages: int) -> dict[str, Figure]:
        return {f.side: f for f in self.figures if (f.what, f.passages) == (what, passages)}


def measure(results: Results, size: int, given: argparse.Namespace, work: Path) -> None:
    """Everything about one number of passages."""
    folder, runs, news = work / str(size), given.runs, given.news
    articles = folder / "articles"
    texts = write_articles(articles, news, size)
    questions = folder / "questions.json"
    questions.write_text(json.dumps(questions_from(texts), ensure_ascii=False), encoding="utf-8")
    index_runs = runs if size <= given.index_once else 1
    measure_indexing(results, size, index_runs, folder, articles, projected=size > given.encoded)
    measure_warm(results, size, runs, folder, questions)
    if size <= _COLD_UP_TO:
        measure_cold(results, size, runs, folder)
    shutil.rmtree(folder)


def write_articles(folder: Path, news: Path | None, passages: int) -> list[str]:
    """Articles until they make so many passages, and their texts."""
    from corpus.article import Article
    from corpus.split import split

    written: list[str] = []
    found = 0
    for number, text in zip(count(), made.texts(news, passages), strict=False):
        path = folder / f"{number // 100:04}" / f"{number:06}.md"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(f"# 第 {number} 篇\n\n{text.strip()}\n", encoding="utf-8")
        written.append(text)
        found += len(split(Article("a", "a", "", text), max_chars=_CHARS))
        if found >= passages:
            break
    return written


def questions_from(texts: Sequence[str]) -> list[str]:
    """Clauses out of articles, as someone types who half remembers."""
    chance = random.Random(11)
    clauses = [
        clause
        for text in chance.sample(texts, min(len(texts), 4 * _QUESTIONS))
        for clause in re.split(r"[，。！？；\s]", text)[:6]
        if 6 <= len(clause) <= 30
    ]
    return chance.sample(clauses, min(len(clauses), _QUESTIONS))


def measure_indexing(
    results: Results, size: int, runs: int, folder: Path, articles: Path, *, projected: bool
) -> None:
    """The whole process, from articles to an index on disk."""
    took: dict[str, list[float]] = {"youju": [], "stock": []}
    told: dict[str, Any] = {}
    for _ in range(runs):
        for side in took:
            target = folder / ("ours" if side == "youju" else "stock")
            shutil.rmtree(target, ignore_errors=True)
            if side == "youju" and projected:
                _in_process("fill", str(articles), str(target))
            seconds, out = timed(_indexing(side, target, articles, projected))
            told[side] = json.loads(out)
            took[side].append(seconds)
    passages, nodes = told["youju"]["passages"], told["stock"]["nodes"]
    vectors = "projected" if projected else "encoded"
    results.notes.append(f"{size}: {passages} passages of youju, {nodes} nodes of stock, {vectors}")
    results.add(_GIVEN if projected else "indexing", size, "s", took)


def _indexing(side: str, target: Path, articles: Path, projected: bool) -> list[str]:
    if side == "stock":
        flag = ["--projected"] if projected else []
        return ["-m", "benchmarks.stock", "index", str(articles), str(target), *flag]
    places = ["--corpus-dir", str(articles), "--data-dir", str(target)]
    return ["-m", "bot.cli", *places, "reindex", "--json"]


def measure_warm(results: Results, size: int, runs: int, folder: Path, questions: Path) -> None:
    """Questions to a process that has answered some."""
    told: dict[str, list[Mapping[str, float]]] = {
        side: [] for side in ("search", "ask", "linear", "stock", "floor")
    }
    for _ in range(runs):
        for side, each in told.items():
            command = ["-m", "benchmarks.worker", "warm", side, str(folder), str(questions)]
            each.append(json.loads(timed(command)[1]))
    names = dict(zip(told, ("youju", *_WHOLE, "stock", "floor"), strict=True))
    for name, what, unit in (
        ("p50", "warm query p50", "ms"),
        ("p95", "warm query p95", "ms"),
        ("mib", "memory of it", "MiB"),
    ):
        sides = {names[side]: [one[name] for one in each] for side, each in told.items()}
        results.add(what, size, unit, sides)


def measure_cold(results: Results, size: int, runs: int, folder: Path) -> None:
    """From the start of a process to its answer."""
    commands = {
        "youju": ["-m", "bot.cli", "--data-dir", str(folder / "ours"), "ask", _COLD, "--json"],
        "stock": ["-m", "benchmarks.stock", "ask", str(folder / "stock"), _COLD],
        "floor": ["-c", "import chromadb"],
    }
    took: dict[str, list[float]] = {side: [] for side in commands}
    for _ in range(runs):
        for side, command in commands.items():
            took[side].append(timed(command)[0])
    results.add("cold ask", size, "s", took)


def measure_hits(results: Results, sets: Path, work: Path, every: int) -> None:
    """How often the passage that a question was written for is found, on each set."""
    for name in _SETS:
        passages, questions = sets / f"{name}.passages.jsonl", sets / f"{name}.questions.jsonl"
        if not questions.exists():
            questions = sets / f"{name}_dev.questions.jsonl"
        for side in ("youju", "stock"):
            store = Path(tempfile.mkdtemp(dir=work)) / "store"
            command = ["-m", "benchmarks.worker", "hits", side, str(passages), str(questions)]
            _, out = timed([*command, str(store), str(every)])
            results.hits.setdefault(name, {})[side] = json.loads(out)


def timed(arguments: Sequence[str]) -> tuple[float, str]:
    """Seconds that a Python process took, and what it printed last."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("YOUJU_", "DISCORD_"))}
    environment |= {"HF_HUB_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    began = time.perf_counter()
    ran = subprocess.run(
        [sys.executable, *arguments], cwd=_ROOT, env=environment, capture_output=True, text=True,
        check=False,
    )  # fmt: skip
    seconds = time.perf_counter() - began
    if ran.returncode:
        raise SystemExit(f"{' '.join(arguments)} failed:\n{ran.stderr[-3000:]}")
    return seconds, ran.stdout.strip().splitlines()[-1] if ran.stdout.strip() else ""


# What comes of it.


def table(results: Results) -> str:
    """All figures as Markdown: medians with their spread, and ratios."""
    lines = [
        f"{results.machine}", "",
        "| | passages | youju | stock | stock / youju | floor | youju / floor |",
        "|---|---|---|---|---|---|---|",
    ]  # fmt: skip
    for what, size in dict.fromkeys((f.what, f.passages) for f in results.figures):
        sides = results.of(what, size)
        ours, theirs, floor = sides["youju"], sides["stock"], sides.get("floor")
        lines.append(
            f"| {what}, {ours.unit} | {size:,} | {ours.told()} | {theirs.told()} | "
            f"{_ratio(theirs, ours)} | {floor.told() if floor else '–'} | "
            f"{_ratio(ours, floor) if floor else '–'} |"
        )
        lines += [
            f"| {what}, {ours.unit}, {whole.removeprefix('youju, ')} | {size:,} | "
            f"{sides[whole].told()} | | | | |"
            for whole in _WHOLE
            if whole in sides
        ]
    lines += ["", *(f"- {note}" for note in results.notes)]
    if results.hits:
        lines += [
            "",
            "| set | questions | youju hit@1 / hit@5 / MRR | stock |",
            "|---|---|---|---|",
        ]
        lines += [_hit_row(name, sides) for name, sides in results.hits.items()]
    return "\n".join(lines) + "\n"


def _ratio(above: Figure, below: Figure) -> str:
    """Run by run, for they were measured in turn."""
    ratios = [a / b for a, b in zip(above.values, below.values, strict=True)]
    return Figure("", 0, "", "", tuple(ratios)).told()


def _hit_row(name: str, sides: Mapping[str, Mapping[str, float]]) -> str:
    told = {
        side: " / ".join(f"{f[k]:.3f}" for k in ("hit@1", "hit@5", "mrr"))
        for side, f in sides.items()
    }
    return f"| {name} | {sides['youju']['questions']} | {told['youju']} | {told['stock']} |"


def plot(results: Results, path: Path) -> None:
    """Medians by number of passages, a panel for each thing measured."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure as Canvas

    panels = [
        ("indexing", "indexing, seconds (dashed: vectors given)"),
        ("warm query p50", "warm query p50, ms"),
        ("warm query p95", "warm query p95, ms"),
        ("memory of it", "memory, MiB"),
    ]
    canvas = Canvas(figsize=(11, 6.4), layout="constrained")
    for axes, (what, title) in zip(canvas.subplots(2, 2).flat, panels, strict=True):
        _panel(axes, [f for f in results.figures if f.what == what], title)
        if what == "indexing":
            _lines(axes, [f for f in results.figures if f.what == _GIVEN], "--")
    path.parent.mkdir(parents=True, exist_ok=True)
    FigureCanvasAgg(canvas).print_png(str(path))


def _panel(axes: Any, figures: Sequence[Figure], title: str) -> None:
    from matplotlib.ticker import FuncFormatter, LogLocator, NullFormatter

    _lines(axes, figures, "-")
    axes.set(xscale="log", yscale="log", title=title, xlabel="passages")
    axes.yaxis.set_major_locator(LogLocator(subs=(1, 2, 5)))
    for axis in (axes.xaxis, axes.yaxis):
        axis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:,.0f}"))
        axis.set_minor_formatter(NullFormatter())
    axes.grid(color="#dddddd", linewidth=0.6)
    if figures:
        axes.legend(frameon=False, fontsize=8)


def _lines(axes: Any, figures: Sequence[Figure], style: str) -> None:
    for side, colour in (
        ("youju", "#2f6f4f"), *zip(_WHOLE, ("#8fb8a0", "#b8b08f"), strict=True),
        ("stock", "#c8963e"), ("floor", "#4b6a9b"),
    ):  # fmt: skip
        points = sorted((f.passages, f) for f in figures if f.side == side)
        if not points:
            continue
        sizes, found = [size for size, _ in points], [f for _, f in points]
        low = [f.median - min(f.values) for f in found]
        high = [max(f.values) - f.median for f in found]
        axes.errorbar(
            sizes, [f.median for f in found], yerr=[low, high], marker="o", capsize=3,
            label=side if style == "-" else None, color=colour, linestyle=style,
        )  # fmt: skip


def main(arguments: Iterable[str] | None = None) -> None:
    given = _parser().parse_args(arguments if arguments is None else list(arguments))
    load = ", ".join(f"{value:.1f}" for value in os.getloadavg())
    machine = f"{os.cpu_count()} cores, Python {platform.python_version()}, load before {load}"
    results = Results(f"{machine}; {given.runs} runs, median (least–most)")
    for earlier in given.add:
        results.take(json.loads(earlier.read_text("utf-8")))
    given.out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=given.out, prefix=".work-") as work:
        for size in given.sizes:
            measure(results, size, given, Path(work))
            _write(results, given.out)
        if given.eval is not None:
            measure_hits(results, given.eval, Path(work), given.every)
    _write(results, given.out)
    print(table(results))


def _write(results: Results, out: Path) -> None:
    (out / "results.json").write_text(json.dumps(asdict(results), ensure_ascii=False, indent=1))
    (out / "results.md").write_text(table(results), encoding="utf-8")
    if results.figures:
        plot(results, out / "benchmark.png")


def _in_process(what: str, *arguments: str) -> None:
    timed(["-m", "benchmarks.compare", f"--{what}", *arguments])


def _fill(articles: str, data_dir: str) -> None:
    from rag.embed import load_embedder

    made.fill_cache(Path(articles), Path(data_dir), load_embedder(), _CHARS)


def _numbers(text: str) -> list[int]:
    return [int(part) for part in text.split(",") if part]


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(description=str(__doc__).splitlines()[0])
    parser.add_argument("--sizes", type=_numbers, default="300,1000,10000,100000")
    parser.add_argument("--runs", type=int, default=5)
    parser.add_argument(
        "--encoded", type=int, default=1000, help="both sides encode up to so many passages"
    )
    parser.add_argument(
        "--index-once", type=int, default=10**9, help="index more passages than these only once"
    )
    parser.add_argument(
        "--add", type=Path, nargs="*", default=(), help="results.json of other sizes, told beside"
    )
    parser.add_argument("--eval", type=Path, help="folder of evaluation sets")
    parser.add_argument("--every", type=int, default=1, help="ask every n-th question of a set")
    parser.add_argument("--news", type=Path, help="gzipped JSON lines with `text`")
    parser.add_argument("--out", type=Path, default=_ROOT / "data" / "bench")
    return parser


if __name__ == "__main__":
    if sys.argv[1:2] == ["--fill"]:
        _fill(*sys.argv[2:])
    else:
        main()
