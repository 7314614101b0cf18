"""`youju gaps` and `youju feedback`: what moderators learn from, on the command line."""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bot.flags import Flags, JsonFlag, print_json, switch
from rag.build import load_settings
from rag.errors import UsageError
from rag.settings import Settings

if TYPE_CHECKING:
    from bot.gaps import Gap, State
    from bot.judged import Verdict

_SHOWN = 20  # on a page, unless asked otherwise
_WHICH = {"helpful": True, "unhelpful": False, "all": None}

gaps_app = typer.Typer(help="Questions that the articles could not answer.")
feedback_app = typer.Typer(help="Answers that members judged, and why.")

Number = Annotated[int, typer.Argument(metavar="NUMBER", help="Its number in `youju gaps`.")]
Page = Annotated[int, typer.Option(min=1, help=f"Which page of {_SHOWN}; --json shows all.")]


class NoSuchGap(UsageError):
    def __init__(self, number: int) -> None:
        super().__init__(f"There is no question {number}: `youju gaps --state all` lists them.")
        self.number = number


class NoSuchAnswer(UsageError):
    def __init__(self, ident: str) -> None:
        super().__init__(f"There is no judged answer {ident!r}: `youju feedback` lists them.")
        self.ident = ident


class CannotExport(UsageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The file {path} cannot be written ({why}).")
        self.path, self.why = path, why


@gaps_app.callback(invoke_without_command=True)
def gaps(
    context: typer.Context,
    state: Annotated[
        Literal["open", "answered", "ignored", "all"], typer.Option(help="Which of them.")
    ] = "open",
    export: Annotated[Path | None, typer.Option(help="Write them all as Markdown.")] = None,
    page: Page = 1,
    as_json: JsonFlag = False,
) -> None:
    """Refused, hardly supported and badly rated questions, by what they ask."""
    if context.invoked_subcommand is not None:
        return
    found = _listed(_settings(), None if state == "all" else state)
    if export is not None:
        _export(export, found)
    if as_json:
        print_json({"state": state, "count": len(found), "gaps": [gap.form() for gap in found]})
    elif export is None:
        from bot.show_learning import show_gaps

        show_gaps(found[(page - 1) * _SHOWN : page * _SHOWN], len(found), page, _SHOWN, state)
    else:
        typer.echo(f"Written to {export}: questions {len(found)}.", err=True)


@gaps_app.command()
def answer(number: Number, as_json: JsonFlag = False) -> None:
    """The articles answer it now; asked again in vain it opens by itself."""
    _mark(number, "answered", as_json)


@gaps_app.command()
def ignore(number: Number, as_json: JsonFlag = False) -> None:
    """It is none of the articles' business; it stays ignored."""
    _mark(number, "ignored", as_json)


@gaps_app.command("open")
def reopen(number: Number, as_json: JsonFlag = False) -> None:
    """It is open again."""
    _mark(number, "open", as_json)


@gaps_app.command()
def forget(as_json: JsonFlag = False) -> None:
    """Erase the questions that the command line kept (YOUJU_KEEP_QUESTIONS)."""
    from bot.keeping import LOCAL, kept

    with kept(_settings()) as memory:
        erased = memory.forget(LOCAL) if memory else 0
    if as_json:
        print_json({"erased": erased})
    else:
        typer.echo(f"Questions of the command line that were erased: {erased}.")


@feedback_app.callback(invoke_without_command=True)
def feedback(
    context: typer.Context,
    which: Annotated[
        Literal["unhelpful", "helpful", "all"], typer.Option(help="Which of them.")
    ] = "all",
    page: Page = 1,
    as_json: JsonFlag = False,
) -> None:
    """Judged answers, the last judged first."""
    if context.invoked_subcommand is not None:
        return
    skip, most = (0, -1) if as_json else ((page - 1) * _SHOWN, _SHOWN)
    count, found = _judged(_settings(), _WHICH[which], skip, most)
    if as_json:
        answers = [verdict.form() for verdict in found]
        print_json({"which": which, "count": count, "answers": answers})
    else:
        from bot.show_learning import show_feedback

        show_feedback(found, count, page, _SHOWN, which)


@feedback_app.command()
def golden(
    ident: Annotated[str, typer.Argument(metavar="ID", help="Its id in `youju feedback`.")],
    quote: Annotated[
        list[str] | None,
        typer.Option(help="The sentence of an article that answers, word for word; repeatable."),
    ] = None,
    none: Annotated[
        bool, switch("--none", "The articles do not answer it: it must be refused.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Make a judged answer a golden question, which each reindex and `youju eval` ask.

    Without --quote and --none an answer that was found helpful stands as it was given.
    """
    if quote and none:
        raise typer.BadParameter("give either --quote or --none")
    from bot.open import opened
    from bot.promote import promote

    settings = _settings()
    verdict = _verdict(settings, ident)
    with opened(settings) as service:
        made = promote(service, verdict, quote or (), refuse=none)
    if as_json:
        print_json({"path": str(made.path), "golden": made.row})
    else:
        typer.echo(f"Golden question {made.row['id']} is in {made.path}.")


def _settings() -> Settings:
    return load_settings(Flags.values)


def _listed(settings: Settings, state: "State | None") -> "list[Gap]":
    from bot.keeping import kept

    with kept(settings) as memory:
        return memory.gaps.listed(state) if memory else []


def _mark(number: int, state: "State", as_json: bool) -> None:
    from bot.keeping import kept

    with kept(_settings()) as memory:
        if memory is None or not memory.gaps.mark(number, state):
            raise NoSuchGap(number)
    if as_json:
        print_json({"number": number, "state": state})
    else:
        typer.echo(f"Question {number} is {state}.")


def _judged(
    settings: Settings, helpful: bool | None, skip: int, most: int
) -> "tuple[int, Sequence[Verdict]]":
    from bot.keeping import kept

    with kept(settings) as memory:
        if memory is None:
            return 0, ()
        judged = memory.judged
        return judged.count(helpful), judged.listed(helpful, most=most, skip=skip)


def _verdict(settings: Settings, ident: str) -> "Verdict":
    from bot.keeping import kept

    with kept(settings) as memory:
        verdict = memory.judged.one(ident) if memory else None
    if verdict is None:
        raise NoSuchAnswer(ident)
    return verdict


def _export(path: Path, found: "Sequence[Gap]") -> None:
    from bot.gap_words import markdown

    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(markdown(found), encoding="utf-8")
    except OSError as error:
        raise CannotExport(path, error.strerror or str(error)) from error
