"""Gaps, judged answers and terms as a person reads them in a terminal."""

from collections.abc import Sequence

from rich.text import Text

from bot.escape import clipped, terminal_line
from bot.gap_words import counts_of, day, places_of
from bot.gaps import Gap, text_of
from bot.judged import Verdict
from bot.show import out, say
from bot.texts import text
from rag.term_lookup import Lookup, Place
from rag.terms_check import Finding
from rag.terms_mine import Candidate
from rag.terms_try import Moved, Trial
from rag.variant import resolve

_LANGUAGE = "en"
_AROUND = 40  # characters shown before and after a word
_UNDER = 6  # columns before what is said of a question


def show_gaps(gaps: Sequence[Gap], count: int, page: int, size: int, state: str) -> None:
    """One page; the number before a question is what `youju gaps answer` takes."""
    if not gaps:
        say(Text(f"No questions here ({state})."))
    for gap in gaps:
        mark = "" if gap.state == "open" else f" ({gap.state})"
        number = Text(f"{gap.number:>4}.", "bold")
        say(Text.assemble((terminal_line(gap.question), "bold"), mark), _UNDER, number)
        say(Text(counts_of(gap, _LANGUAGE), "dim"), _UNDER)
        for wording in gap.wordings:
            say(Text(text(_LANGUAGE, "gaps.also", wordings=terminal_line(wording)), "dim"), _UNDER)
        for place in places_of(gap, 2):
            say(Text(f"nearest: {terminal_line(place)}", "cyan"), _UNDER)
    _say_pages(count, page, size)


def show_feedback(
    verdicts: Sequence[Verdict], count: int, page: int, size: int, which: str
) -> None:
    """One page; the id before a question is what `youju feedback golden` takes."""
    if not verdicts:
        say(Text(f"No judged answers here ({which})."))
    for verdict in verdicts:
        shown = verdict.shown
        ident = (f"{verdict.id}  ", "bold green")
        say(Text.assemble(ident, (terminal_line(text_of(shown)), "bold")))
        said = shown.text if shown.status == "answered" else text(_LANGUAGE, "judged.refused")
        say(Text(clipped(terminal_line(said), 160)), _UNDER)
        votes = f"helpful {verdict.helpful}, unhelpful {verdict.unhelpful}, {day(verdict.at)}"
        say(Text(votes, "dim"), _UNDER)
        for reason in verdict.reasons:
            told = text(_LANGUAGE, f"feedback.{reason.kind}")
            words = f": {terminal_line(reason.words)}" if reason.words else ""
            say(Text(f"{told}{words}", "yellow"), _UNDER + 2, Text(" " * _UNDER + "-", "yellow"))
    _say_pages(count, page, size)


def show_lookup(lookup: Lookup) -> None:
    """The forms, group by group, then the passages with the word marked."""
    if not lookup.groups:
        say(Text(f"No group of words holds {lookup.word!r}."))
    for group in lookup.groups:
        own = "" if not group.own else " (own)" if group.indexed else " (own; reindex to use it)"
        forms = group.forms_in(resolve(lookup.word))
        say(Text.assemble((" · ".join(forms), "bold"), (own, "yellow")))
    hold = "passage holds" if lookup.count == 1 else "passages hold"
    say(Text(f"{lookup.count} {hold} it or another form of it.", "dim"))
    for place in lookup.places:
        where = " › ".join((place.article.title, *place.passage.headings[-1:]))
        say(Text(terminal_line(where), "cyan"), 4)
        say(_marked(place), 8)


def show_findings(findings: Sequence[Finding], path: str) -> None:
    """One line a finding, the line of the file first."""
    for finding in findings:
        style = "bold red" if finding.level == "wrong" else "yellow"
        head = Text.assemble((f"{path}:{finding.line}: ", "bold"), (finding.form, style))
        say(Text.assemble(head, f": {finding.what}; {finding.do}."))
    wrong = sum(finding.level == "wrong" for finding in findings)
    say(Text(f"{wrong} to mend, {len(findings) - wrong} to look at."))


def show_candidates(candidates: Sequence[Candidate], rows: Sequence[str]) -> None:
    """Rows ready to paste; the sentence stands before each as a comment."""
    if not rows:
        say(Text("Nothing new was found in the articles."))
    for candidate, row in zip(candidates, rows, strict=True):
        # Never wrapped: what is copied from the terminal must be the rows.
        out.print(
            Text(f"# {candidate.path}: {terminal_line(candidate.sentence)}", "dim"), soft_wrap=True
        )
        out.print(Text(row, "bold"), soft_wrap=True)


def show_trial(trial: Trial) -> None:
    """Figures before and after, then the questions that moved."""
    for name, before in trial.before.items():
        after = trial.after.get(name)
        if before is not None and after is not None:
            moved = f"{after - before:+.3f}" if before != after else "="
            say(Text(f"{name:<14}{before:.3f} → {after:.3f}  {moved}"))
    for label, style, questions in (
        ("better", "green", trial.better),
        ("worse", "bold red", trial.worse),
    ):
        say(Text(f"{len(questions)} {label}", style))
        for question in questions:
            say(Text(_told(question)), 4)
    unmoved = trial.questions - len(trial.moved)
    say(Text(f"{unmoved} of {trial.questions} questions as before.", "dim"))


def _told(moved: Moved) -> str:
    ranks = " → ".join("not found" if rank is None else str(rank) for rank in moved.rank)
    fine = " → ".join("right" if fine else "wrong" for fine in moved.fine)
    told = [f"passage {ranks}"] if moved.rank[0] != moved.rank[1] else []
    told += [fine] if moved.fine[0] != moved.fine[1] else []
    return f"{terminal_line(moved.question)}  ({', '.join(told)})"


def _marked(place: Place) -> Text:
    passage = place.passage.text
    before, after = passage[: place.start], passage[place.end :]
    opening, closing = ("", "") if out.is_terminal else ("【", "】")
    return Text.assemble(
        ("…" if len(before) > _AROUND else "") + terminal_line(before[-_AROUND:]),
        (f"{opening}{passage[place.start : place.end]}{closing}", "bold yellow"),
        terminal_line(after[:_AROUND]) + ("…" if len(after) > _AROUND else ""),
    )  # fmt: skip


def _say_pages(count: int, page: int, size: int) -> None:
    pages = max(1, -(-count // size))
    if pages > 1:
        say(Text(f"{count} in all; page {page} of {pages} (--page).", "dim"))
