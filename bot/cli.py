"""The command line: the same Service as the Discord bot, for people and for other programs.

Output goes to stdout, progress and errors to stderr. Exit codes: 0 done (a refusal too), 2 usage,
3 configuration, 4 no index, 5 corpus, 6 dependency unreachable, 7 an evaluation that is worse.
"""

import logging
import os
import sys
from collections.abc import Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, cast

import typer

from bot.cli_learning import feedback_app, gaps_app
from bot.cli_terms import terms_app
from bot.flags import Flags, JsonFlag, print_json, switch
from bot.open import opened
from rag.build import load_settings
from rag.errors import YoujuError
from rag.result import Answer, Variant
from rag.service import Service

if TYPE_CHECKING:
    from rag.backup import Backup

VariantFlag = Literal["auto", "hant", "hans"]

app = typer.Typer(
    name="youju",
    help="Ask a body of Chinese articles; every answer stands on passages it quotes.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

app.add_typer(gaps_app, name="gaps")
app.add_typer(feedback_app, name="feedback")
app.add_typer(terms_app, name="terms")

HistoryFlag = Annotated[
    list[str] | None,
    typer.Option("--history", help="An earlier question of the conversation; repeatable."),
]
QuestionArgument = Annotated[
    str, typer.Argument(metavar="QUESTION", help="What you want to know, in either script.")
]


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
    Flags.values = {name: value for name, value in given.items() if value is not None}


@app.command()
def ask(
    question: Annotated[
        str | None, typer.Argument(metavar="QUESTION", help="What you want to know.")
    ] = None,
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
        answer = _answer(service, cast(str, question), history or (), variant, quiet=as_json)
        if as_json:
            from bot.forms import answer_form

            print_json(answer_form(answer))
        else:
            from bot.show import show_answer

            show_answer(answer)
        if service.settings.keep_questions:
            from bot.keeping import keep

            keep(service, answer, history or ())


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

            print_json(search_form(question, found.hits, found.generation))
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

            print_json(trace_form(trace))
        else:
            from bot.show_trace import show_trace

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
    dry_run: Annotated[bool, switch("--dry-run", "Only say what would change.")] = False,
    full: Annotated[bool, switch("--full", "Build anew even if unchanged.")] = False,
    force: Annotated[bool, switch("--force", "Switch even if golden questions get worse.")] = False,
    watch: Annotated[
        bool, switch("--watch", "Go on: reindex whenever an article is saved.")
    ] = False,
    as_json: JsonFlag = False,
) -> None:
    """Bring the index up to date with the articles."""
    from bot.reindexing import reindex_and_watch, reindex_once

    with _service(index=False) as service:
        if watch:
            reindex_and_watch(service, full=full, force=force, as_json=as_json)
        else:
            reindex_once(service, dry_run=dry_run, full=full, force=force, as_json=as_json)


@app.command()
def rollback(as_json: JsonFlag = False) -> None:
    """Serve the generation before this one again."""
    with _service(index=False) as service:
        name = service.rollback()
        if as_json:
            print_json({"generation": name})
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
            print_json(status_form(told))
        else:
            show_status(told)


@app.command()
def doctor(as_json: JsonFlag = False) -> None:
    """Check every part and say how to mend what is wrong."""
    from bot.doctor import examine, show_findings

    findings = examine(Flags.values)
    if as_json:
        print_json({"findings": [finding.form() for finding in findings]})
    else:
        show_findings(findings)
    raise typer.Exit(max((finding.exit_code for finding in findings), default=0))


@app.command("eval")
def evaluate(
    questions: Annotated[
        Path, typer.Argument(metavar="QUESTIONS.jsonl", help="Questions, one JSON object a line.")
    ],
    passages: Annotated[
        Path | None, typer.Option(help="Score a throw-away index over these passages instead.")
    ] = None,
    report: Annotated[Path | None, typer.Option(help="Write an HTML page.")] = None,
    save: Annotated[
        Path | None, typer.Option(help="Write the run with each question, for --against.")
    ] = None,
    against: Annotated[
        Path | None,
        typer.Option(help="Compare with an earlier run (what --json printed or --save wrote)."),
    ] = None,
    tolerance: Annotated[
        float, typer.Option(min=0, max=1, help="Fall of a share that is not yet exit code 7.")
    ] = 0.01,
    script: Annotated[
        VariantFlag, typer.Option(help="Convert the questions to this script before asking.")
    ] = "auto",
    as_json: JsonFlag = False,
) -> None:
    """Score retrieval, answers and refusals on a set of questions."""
    from bot.scores import Wanted, run_evaluation, show_comparison, show_scores

    wanted = Wanted(questions, passages, _chosen(script), report, save, against, tolerance)
    evaluation, comparison = run_evaluation(load_settings(Flags.values), wanted)
    if as_json:
        print_json(evaluation.scores)
    else:
        show_scores(evaluation)
    if comparison is not None:
        show_comparison(comparison)
        raise typer.Exit(7 if comparison.worse else 0)


@app.command()
def backup(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="The file to write.")],
    as_json: JsonFlag = False,
) -> None:
    """Write the data directory into one file, also while it is in use."""
    from rag.backup import backup as make_backup

    made = make_backup(load_settings(Flags.values).data_dir, file)
    _show_backup("Backed up", made, as_json)


@app.command()
def restore(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="A file that `youju backup` wrote.")],
    force: Annotated[bool, switch("--force", "Replace what the data directory holds.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Put a backup into the data directory, after checking all of it."""
    from rag.restore import restore as put_back

    restored = put_back(file, load_settings(Flags.values).data_dir, force=force)
    _show_backup("Restored", restored, as_json)


@app.command()
def bot(
    invite: Annotated[bool, switch("--invite", "Print the invitation link.")] = False,
    as_json: JsonFlag = False,
) -> None:
    """Serve Discord."""
    from bot.run import run_bot

    run_bot(Flags.values, invite=invite, as_json=as_json)


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


def _show_backup(done: str, told: "Backup", as_json: bool) -> None:
    if as_json:
        print_json({**asdict(told), "path": str(told.path)})
    else:
        serves = told.generation or "no index"
        typer.echo(f"{done}: {told.path}, {told.files} files, {told.bytes:,} bytes, {serves}.")


def _service(*, index: bool = True) -> AbstractContextManager[Service]:
    logging.getLogger("rag.llm").setLevel(logging.ERROR)  # an answer says itself why it failed
    return opened(load_settings(Flags.values), index=index)


def _answer(
    service: Service, question: str, history: Sequence[str], variant: VariantFlag, *, quiet: bool
) -> Answer:
    if quiet or service.author is None:
        return service.ask(question, history=history, variant=_chosen(variant))
    from bot.live import answered

    return answered(service, question, history, _chosen(variant))


def _chosen(variant: VariantFlag) -> Variant | None:
    return None if variant == "auto" else variant


def _speak_utf8() -> None:
    """Chinese must come out whole, whatever the locale says (a bare container says ASCII)."""
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(encoding="utf-8", errors="replace")  # type: ignore[union-attr]


def _fail(sentence: str, code: int) -> None:
    from bot.show import complain

    complain(sentence)
    sys.exit(code)


if __name__ == "__main__":
    main()
