"""An evaluation as one HTML page that needs nothing else: no script, no font, no network."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from html import escape
from pathlib import Path
from typing import Any

from bot import plots
from bot.comparison import Comparison
from rag.evaluation import Evaluation
from rag.examined import (
    Examined,
    Shown,
    curve,
    latencies,
    quality,
    ranking,
    share_of_citations,
    worst,
)
from rag.settings import Settings

_LEGS: Mapping[str, str | None] = {"together": None, "lexical": "lexical", "dense": "dense"}
_THRESHOLDS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9)
_STYLE = """
:root { color-scheme: light; --ink: #222; --soft: #666; --line: #ddd; --good: #2f6f4f;
        --bad: #a33b3b; --bar: #dfe9e3 }
body { font: 15px/1.6 system-ui, "Noto Sans CJK TC", "PingFang TC", "Microsoft JhengHei",
       sans-serif; color: var(--ink); margin: 2rem auto; max-width: 68rem; padding: 0 1rem }
h1 { margin-bottom: 0 } h2 { margin-top: 2.5rem; border-bottom: 2px solid var(--ink) }
.soft, figcaption { color: var(--soft) } .good { color: var(--good) } .bad { color: var(--bad) }
.tiles { display: flex; flex-wrap: wrap; gap: .8rem; margin: 1.5rem 0 }
.tile { border: 1px solid var(--line); border-radius: 6px; padding: .5rem 1rem; min-width: 7rem }
.tile b { display: block; font-size: 1.5rem }
.plots { display: flex; flex-wrap: wrap; gap: 1rem } figure { flex: 1 1 26rem; margin: 1rem 0 }
svg { max-width: 100%; height: auto }
table { border-collapse: collapse; margin: 1rem 0; width: 100% }
td, th { border-bottom: 1px solid var(--line); padding: .3rem .7rem; text-align: right }
td:first-child, th:first-child { text-align: left }
td.share { background: linear-gradient(var(--bar), var(--bar)) no-repeat left / var(--w) 100% }
details { border: 1px solid var(--line); border-radius: 6px; margin: .6rem 0; padding: .4rem 1rem }
summary { cursor: pointer } ol { margin: .4rem 0 } li.gold { background: var(--bar) }
"""


def write_page(
    path: Path,
    title: str,
    settings: Settings,
    evaluation: Evaluation,
    comparison: Comparison | None = None,
) -> None:
    """Write the page; the folder is made when it is not there."""
    examined = evaluation.examined
    parts = [
        f"<h1>{escape(title)}</h1>",
        _told(settings, evaluation),
        _tiles(examined),
        _comparison(comparison) if comparison else "",
        _retrieval(examined),
        _answers(examined, settings.support),
        _latency(examined),
        _worst(worst(examined)),
    ]
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(_page(title, "\n".join(parts)), encoding="utf-8")


def _told(settings: Settings, evaluation: Evaluation) -> str:
    now = datetime.now().astimezone().isoformat(sep=" ", timespec="minutes")
    asked = f"{len(evaluation.examined)} questions"
    over = evaluation.scores.get("passages")
    over = f" over {over} passages" if over else " about the installed articles"
    model = settings.embed_model or "the shipped embedding"
    told = f"{asked}{over}, {model}, YOUJU_SUPPORT={settings.support:g}, {now}"
    return f'<p class="soft">{escape(told)}</p>'


def _tiles(examined: Sequence[Examined]) -> str:
    found, good, times = ranking(examined), quality(examined), latencies(examined)
    exact = sum(e.verbatim for e in examined), sum(e.citations for e in examined)
    tiles = {
        "gold passage first": _percent(found["hit@1"]),
        "in five": _percent(found["hit@5"]),
        "MRR": "–" if found["mrr"] is None else f"{found['mrr']:.3f}",
        "answered right": _percent(good["right and answered"]),
        "refused or put right": _percent(good["refused or put right"]),
        "over-refused": _percent(good["over-refused"]),
        f"verbatim ({exact[0]} of {exact[1]})": _percent(share_of_citations(examined)),
        "p50 / p95 ms": f"{times['p50']:.0f} / {times['p95']:.0f}",
    }
    drawn = (f'<div class="tile"><b>{v}</b>{escape(k)}</div>' for k, v in tiles.items())
    return f'<div class="tiles">{"".join(drawn)}</div>'


def _comparison(comparison: Comparison) -> str:
    rows = {
        change.name: {
            "before": change.before,
            "now": change.after,
            "": _gain(change.gain, comparison.tolerance),
        }
        for change in comparison.changes
    }
    verdict = (
        f'<p class="bad">{len(comparison.worse)} figures got worse by more than '
        f"{comparison.tolerance:g}.</p>"
        if comparison.worse
        else f'<p class="good">Nothing got worse by more than {comparison.tolerance:g}.</p>'
    )
    return (
        f"<h2>Against the earlier run</h2>{verdict}{_table(rows)}"
        + _turned("Right before, wrong now", comparison.broken)
        + _turned("Wrong before, right now", comparison.mended)
    )


def _gain(gain: float, tolerance: float) -> "_Html":
    kind = "bad" if gain < -tolerance else "good" if gain > 1e-9 else "soft"
    return _Html(f'<span class="{kind}">{gain:+.4f}</span>')


def _turned(title: str, examined: Sequence[Examined]) -> str:
    if not examined:
        return ""
    return f"<h3>{title} ({len(examined)})</h3>" + "".join(_question(e) for e in examined)


def _retrieval(examined: Sequence[Examined]) -> str:
    legs = {name: ranking(examined, leg) for name, leg in _LEGS.items()}
    return "\n".join(
        (
            "<h2>Retrieval</h2>",
            _plots({"The two legs, and both together": plots.bars(legs)}),
            _table(legs),
            _by_leg("script", examined, lambda e: e.variant),
            _by_leg("kind", examined, lambda e: e.kind),
        )
    )


def _by_leg(name: str, examined: Sequence[Examined], key: Callable[[Examined], str]) -> str:
    rows = {
        f"{value}, {leg}" if leg != "together" else f"{value} ({len(group)})": ranking(group, of)
        for value, group in _groups(examined, key)
        if any(not e.to_refuse for e in group)
        for leg, of in _LEGS.items()
    }
    return f"<h3>By {name} and leg</h3>{_table(rows)}"


def _answers(examined: Sequence[Examined], threshold: float) -> str:
    found = curve(examined)
    drawn = {"What another YOUJU_SUPPORT would do": plots.curves(found, threshold)}
    if found.rejected[0] is not None and found.over_refused[0] is not None:
        drawn["Rejection against over-refusal"] = plots.trade(found, threshold)
    at = {t: found.thresholds.index(t) for t in _THRESHOLDS}
    rows = {
        f"YOUJU_SUPPORT={t:g}": {
            "refused that must be": found.rejected[n],
            "over-refused": found.over_refused[n],
            "answered, and right": found.right[n],
        }
        for t, n in at.items()
    }
    groups = [("script", lambda e: e.variant), ("kind", lambda e: e.kind)]
    tables = [
        f"<h3>By {name}</h3>{_table({v: quality(g) for v, g in _groups(examined, key)})}"
        for name, key in groups
    ]
    return "\n".join(("<h2>Answers and refusals</h2>", _plots(drawn), _table(rows), *tables))


def _latency(examined: Sequence[Examined]) -> str:
    times = latencies(examined)
    drawn = plots.histogram(
        [e.milliseconds for e in examined], {name: times[name] for name in ("p50", "p95")}
    )
    return f"<h2>Latency</h2>{_plots({'': drawn})}{_table({'milliseconds': times})}"


def _worst(examined: Sequence[Examined]) -> str:
    if not examined:
        return "<h2>Worst questions</h2><p>None failed.</p>"
    told = '<p class="soft">The surest mistakes first; what was wanted is marked.</p>'
    return f"<h2>Worst questions</h2>{told}" + "".join(_question(e) for e in examined)


def _question(examined: Examined) -> str:
    wanted = "must be refused" if examined.to_refuse else f"gold at {examined.rank or '–'}"
    facts = f"{examined.status}, {wanted}, support {examined.support:.2f}, {examined.variant}"
    hits = "".join(_hit(hit) for hit in examined.hits)
    return (
        f"<details><summary>{escape(examined.question)} "
        f'<span class="soft">{escape(facts)}</span></summary>'
        f"<p>{escape(examined.answer)}</p><ol>{hits}</ol></details>"
    )


def _hit(hit: Shown) -> str:
    where = " › ".join(filter(None, (hit.title, hit.heading)))
    scores = f"{hit.score:.3f} (lexical {_number(hit.lexical)}, dense {_number(hit.dense)})"
    gold = ' class="gold"' if hit.gold else ""
    return (
        f'<li{gold}>{escape(where)} <span class="soft">{scores}</span><br>{escape(hit.text)}</li>'
    )


# Parts of a page.


class _Html(str):
    """Already escaped."""

    __slots__ = ()


def _table(rows: Mapping[str, Mapping[str, Any]]) -> str:
    names = list(dict.fromkeys(name for row in rows.values() for name in row))
    head = "".join(f"<th>{escape(name)}</th>" for name in ("", *names))
    body = "".join(
        f"<tr><td>{escape(label)}</td>{''.join(_cell(row.get(name)) for name in names)}</tr>"
        for label, row in rows.items()
    )
    return f"<table><tr>{head}</tr>{body}</table>"


def _cell(value: object) -> str:
    """A share is drawn as a bar behind its number."""
    if isinstance(value, _Html):
        return f"<td>{value}</td>"
    if isinstance(value, float) and 0 <= value <= 1:
        return f'<td class="share" style="--w: {100 * value:.1f}%">{value:.3f}</td>'
    return f"<td>{escape(_number(value) if isinstance(value, float | None) else str(value))}</td>"


def _plots(drawn: Mapping[str, str]) -> str:
    figures = (
        f"<figure>{svg}<figcaption>{escape(told)}</figcaption></figure>"
        for told, svg in drawn.items()
    )
    return f'<div class="plots">{"".join(figures)}</div>'


def _groups(
    examined: Iterable[Examined], key: Callable[[Examined], str]
) -> list[tuple[str, list[Examined]]]:
    groups: dict[str, list[Examined]] = {}
    for each in examined:
        groups.setdefault(key(each), []).append(each)
    return sorted(groups.items())


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share:.1f} %"


def _number(value: float | None) -> str:
    return "–" if value is None else f"{value:.3f}"


def _page(title: str, body: str) -> str:
    return (
        '<!doctype html><html lang="zh"><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width">'
        '<meta http-equiv="Content-Security-Policy" '
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        f"<title>{escape(title)}</title><style>{_STYLE}</style><body>{body}</body></html>\n"
    )
