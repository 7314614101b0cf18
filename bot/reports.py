"""What moderators read: the report of a reindex, the state of things, who is served."""

from collections.abc import Mapping, Sequence
from datetime import datetime

from discord import ui

from bot.escape import line
from bot.memory import AccessRow, Counts
from bot.texts import text
from bot.unreadable import why_unreadable
from bot.views import REFUSED_ACCENT, Block, Rule, Words, card, cards
from rag.result import GenerationStatus, ReindexReport, Worse

_LISTED = 12  # paths of a kind that are named; the others are counted


def report_cards(report: ReindexReport, language: str) -> list[ui.LayoutView]:
    """What a reindex did or would do: + ~ - articles, failed files, passages, seconds."""
    changes = report.articles
    title = text(language, "report.dry_title" if report.dry_run else "report.title")
    counts = text(
        language, "report.counts", added=len(changes.added), changed=len(changes.changed),
        removed=len(changes.removed), unchanged=changes.unchanged, failed=len(changes.failed),
    )  # fmt: skip
    blocks: list[Block] = [Words(f"### {title}\n{counts}")]
    for mark, paths in (("+", changes.added), ("~", changes.changed), ("−", changes.removed)):
        if paths:
            blocks.append(Words(_paths(mark, paths, language)))
    if changes.failed:
        blocks.append(Rule())
        failed = [
            f"`!` {line(f.path, 100)}\n-# {line(why_unreadable(f.reason, language), 160)}"
            for f in changes.failed
        ]
        shown = [f"**{text(language, 'report.failed')}**", *_some(failed, language)]
        blocks.append(Words("\n".join(shown)))
    if report.worse:
        blocks += [Rule(), Words(worse_questions(report.worse, language))]
    figures = text(
        language, "report.figures", passages=report.passages, embedded=report.embedded,
        seconds=f"{report.seconds:.1f}",
    )  # fmt: skip
    blocks += [Rule(), Words(f"{figures}\n-# {line(report.generation)}")]
    return cards(blocks, *([REFUSED_ACCENT] if changes.failed else []))


def worse_questions(worse: Sequence[Worse], language: str) -> str:
    """Golden questions that got worse, each with what became of it before and now."""
    rows = [
        f"`{line(w.id, 40)}` {line(w.question, 120)}\n-# {line(w.before)} → {line(w.after)}"
        for w in worse
    ]
    return "\n".join([f"**{text(language, 'report.worse')}**", *_some(rows, language)])


def status_card(
    stored: GenerationStatus, counts: Counts, running: Mapping[str, float],
    seconds: Sequence[float], language: str,
) -> ui.LayoutView:  # fmt: skip
    """`running`: uptime in s, memory in MB, waiting questions, gateway in ms. `seconds` ascend."""
    facts = {
        "generation": stored.generation or "–",
        "articles": f"{stored.articles:,}",
        "passages": f"{stored.passages:,}",
        "model": stored.model,
        "kept": ", ".join(stored.kept) or "–",
        "uptime": _duration(running["uptime"]),
        "latency": f"p50 {_ms(seconds, 0.5)} · p95 {_ms(seconds, 0.95)} ({len(seconds)})",
        "gateway": f"{running['gateway']:.0f} ms",
        "memory": f"{running['memory']:.0f} MB",
        "waiting": f"{running['waiting']:.0f}",
        "answers": f"{counts.answered:,} / {counts.refused:,}",
        "feedback": f"👍 {counts.helpful:,} · 👎 {counts.unhelpful:,}",
    }
    # Discord shows this moment in each reader's own time.
    moment = datetime.fromisoformat(stored.built_at).timestamp() if stored.built_at else None
    shown = {"generation": line(facts.pop("generation"))}
    shown |= {"built": f"<t:{moment:.0f}:f>" if moment else "–"}
    shown |= {key: line(told) for key, told in facts.items()}
    rows = [f"**{text(language, f'status.{key}')}** {told}" for key, told in shown.items()]
    return card(Words(f"### {text(language, 'status.title')}\n" + "\n".join(rows)))


def access_card(rows: Sequence[AccessRow], language: str) -> ui.LayoutView:
    """The lists as they are now; mentions here show names and ping nobody."""
    marks = {"channel": "<#{}>", "role": "<@&{}>"}
    blocks: list[Block] = [Words(f"### {text(language, 'access.title')}")]
    for rule in ("allow", "deny"):
        shown = [marks[row.kind].format(row.target) for row in rows if row.rule == rule]
        label = text(language, f"access.{rule}")
        blocks.append(Words(f"**{label}** {' '.join(shown) or text(language, 'access.none')}"))
    blocks.append(Words(f"-# {text(language, 'access.how')}"))
    return card(*blocks)


def _paths(mark: str, paths: Sequence[str], language: str) -> str:
    return "\n".join(_some([f"`{mark}` {line(path, 120)}" for path in paths], language))


def _some(rows: Sequence[str], language: str) -> list[str]:
    shown = list(rows[:_LISTED])
    if len(rows) > _LISTED:
        shown.append(text(language, "report.others", count=len(rows) - _LISTED))
    return shown


def _ms(ascending: Sequence[float], share: float) -> str:
    if not ascending:
        return "–"
    return f"{1000 * ascending[min(len(ascending) - 1, int(share * len(ascending)))]:.0f} ms"


def _duration(seconds: float) -> str:
    minutes, hours, days = int(seconds // 60) % 60, int(seconds // 3600) % 24, int(seconds // 86400)
    return f"{days} d {hours:02}:{minutes:02}" if days else f"{hours:02}:{minutes:02}"
