"""The command line: the same Service as the Discord bot, for people and for other programs.

Output goes to stdout, progress and errors to stderr. Exit codes: 0 done (a refusal too), 2 usage,
3 configuration, 4 no index, 5 corpus, 6 dependency unreachable.
"""

import json
import os
import sys
from collections.abc import Mapping
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Annotated, Any, Literal, cast

import typer

from bot.open import opened
from rag.build import load_settings
from rag.errors import YoujuError
from rag.result import Variant
from rag.service import Service

VariantFlag = Literal["auto", "hant", "hans"]

app = typer.Typer(
    name="youju",
    help="Ask a body of Chinese articles; every answer stands on passages it quotes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

JsonFlag = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]
HistoryFlag = Annotated[
    list[str] | None,
    typer.Option("--history", help="An earlier question of the conversation; repeatable."),
]
QuestionArgument = Annotated[str, typer.Argument(help="What you want to know, in either script.")]


class _Flags:
    """Settings given as flags, kept for the command that follows them."""

    values: Mapping[str, Any] = {}


@app.callback()
def _main_flags(
    corpus_dir: Annotated[
        Path | None, typer.Option(help="Folder of the articles (YOUJU_CORPUS_DIR).")
    ] = None,
    data_dir: Annotated[
        Path | None, typer.Option(help="Folder for everything written (YOUJU_DATA_DIR).")
    ] = None,
    embed_model: Annotated[
        str | None, typer.Option(help="Embedding model, name or folder (YOUJU_EMBED_MODEL).")
    ] = None,
) -> None:
    given = {"corpus_dir": corpus_dir, "data_dir": data_dir, "embed_model": embed_model}
    _Flags.values = {name: value for name, value in given.items() if value is not None}


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="What you want to know.")] = None,
    variant: Annotated[
        VariantFlag, typer.Option(help="Script of the answer; auto follows the question.")
    ] = "auto",
    history: HistoryFlag = None,
    batch: Annotated[
        Path | None, typer.Option(help="Answer every line of a JSON-lines file ('-': stdin).")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """Answer a question, with the passages the answer stands on."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give either a QUESTION or --batch FILE")
    with _service() as service:
        if batch is not None:
            from bot.batch import answer_batch

            answer_batch(service, batch, _chosen(variant))
            return
        answer = service.ask(cast(str, question), history=history or (), variant=_chosen(variant))
        if as_json:
            from bot.forms import answer_form

            _print_json(answer_form(answer))
        else:
            from bot.show import show_answer

            show_answer(answer)


@app.command()
def search(
    question: QuestionArgument,
    k: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    history: HistoryFlag = None,
    as_json: JsonFlag = False,
) -> None:
    """Show the passages nearest to a question and their scores; no answer."""
    with _service() as service:
        found = service.search(question, k, history or ())
        if as_json:
            from bot.forms import search_form

            _print_json(search_form(question, found.hits, found.generation))
        else:
            from bot.show import show_hits

            show_hits(found.hits)


@app.command()
def why(question: QuestionArgument, history: HistoryFlag = None, as_json: JsonFlag = False) -> None:
    """Show everything that decides the answer to a question."""
    with _service() as service:
        trace = service.why(question, history or ())
        if as_json:
            from bot.forms import trace_form

            _print_json(trace_form(trace))
        else:
            from bot.show import show_trace

            show_trace(trace)


@app.command()
def chat(
    variant: Annotated[VariantFlag, typer.Option(help="Script of the answers.")] = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Talk with the articles; earlier questions are understood."""
    from bot.chat import converse

    with _service() as service:
        converse(service, _chosen(variant), as_json=as_json)


@app.command()
def reindex(
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")] = False,
    full: Annotated[bool, typer.Option("--full", help="Build anew even if unchanged.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to date with the articles."""
    from bot.forms import reindex_form
    from bot.show import indexing, show_report

    with _service(index=False) as service:
        with indexing() as bar:
            report = service.reindex(dry_run=dry_run, full=full, progress=bar)
        if as_json:
            _print_json(reindex_form(report))
        else:
            show_report(report)


@app.command()
def rollback(as_json: JsonFlag = False) -> None:
    """Serve the generation before this one again."""
    with _service(index=False) as service:
        name = service.rollback()
        if as_json:
            _print_json({"generation": name})
        else:
            typer.echo(f"The generation {name} serves again.")


@app.command()
def status(as_json: JsonFlag = False) -> None:
    """Show what is indexed."""
    from bot.forms import status_form
    from bot.show import show_status

    with _service(index=False) as service:
        told = service.status()
        if as_json:
            _print_json(status_form(told))
        else:
            show_status(told)


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Check every part and say how to mend what is wrong."""
    from bot.doctor import examine, show_findings

    findings = examine(_Flags.values)
    if as_json:
        _print_json({"findings": [finding.form() for finding in findings]})
    else:
        show_findings(findings)
    raise typer.Exit(max((finding.exit_code for finding in findings), default=0))


@app.command("eval")
def evaluate(
    questions: Annotated[Path, typer.Argument(help="Questions, one JSON object a line.")],
    passages: Annotated[
        Path | None, typer.Option(help="Score a throw-away index over these passages instead.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    script: Annotated[
        VariantFlag, typer.Option(help="Convert the questions to this script before asking.")
    ] = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Score retrieval, answers and refusals on a set of questions."""
    from bot.scores import run_evaluation

    settings = load_settings(_Flags.values)
    scores = run_evaluation(settings, questions, passages, report, _chosen(script))
    if as_json:
        _print_json(scores)
    else:
        from bot.scores import show_scores

        show_scores(scores)


@app.command()
def bot(
    invite: Annotated[bool, typer.Option("--invite", help="Print the invitation link.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Serve Discord."""
    from bot.run import run_bot

    run_bot(_Flags.values, invite=invite, as_json=as_json)


def main() -> None:
    """Run a command; every error of ours ends as one sentence and its exit code."""
    _speak_utf8()
    try:
        app()
    except YoujuError as error:
        _fail(str(error), error.exit_code)
    except KeyboardInterrupt:
        _fail("Stopped.", 130)
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(0)


def _service(*, index: bool = True) -> AbstractContextManager[Service]:
    return opened(load_settings(_Flags.values), index=index)


def _chosen(variant: VariantFlag) -> Variant | None:
    return None if variant == "auto" else variant


def _print_json(form: Mapping[str, Any]) -> None:
    typer.echo(json.dumps(form, ensure_ascii=False))


def _speak_utf8() -> None:
    """Chinese must come out whole, whatever the locale says (a bare container says ASCII)."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def _fail(sentence: str, code: int) -> None:
    sys.stderr.write(f"youju: {sentence}\n")
    sys.exit(code)


if __name__ == "__main__":
    main()
