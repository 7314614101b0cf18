"""`youju terms`: look words up, check the moderators' file, find rows, try them."""

import csv
import io
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot.flags import Flags, JsonFlag, print_json
from rag.build import load_settings
from rag.errors import UsageError
from rag.settings import Settings

if TYPE_CHECKING:
    from rag.evaluation import Row
    from rag.terms_check import Finding

terms_app = typer.Typer(
    help="Words that mean the same: look them up, check and extend your own.", no_args_is_help=True
)
FileFlag = Annotated[
    Path | None, typer.Option("--file", help="Another file than terms.csv beside the articles.")
]
_WRONG = 3  # the exit code of a file that must be mended


class NothingToTry(UsageError):
    def __init__(self, why: str) -> None:
        super().__init__(f"There is nothing to try: {why}.")
        self.why = why


class NothingToCheck(UsageError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"There is no {path} to check: write one group of words a row into it.")
        self.path = path


@terms_app.command()
def lookup(
    word: Annotated[str, typer.Argument(metavar="WORD", help="In any script, or in English.")],
    most: Annotated[int, typer.Option("-k", min=1, max=100, help="How many passages.")] = 5,
    as_json: JsonFlag = False,
) -> None:
    """A word in all its forms, with the passages it occurs in."""
    from bot.open import opened

    with opened(_settings()) as service:
        found = service.look_up(word, most)
    if as_json:
        from bot.forms import lookup_form

        print_json(lookup_form(found))
    else:
        from bot.show_learning import show_lookup

        show_lookup(found)


@terms_app.command()
def check(file: FileFlag = None, as_json: JsonFlag = False) -> None:
    """What is wrong with terms.csv, line by line; exit code 3 when something must be mended."""
    settings = _settings()
    path = file or _local(settings)
    findings = _findings(settings, path)
    if as_json:
        print_json({"path": str(path), "findings": [asdict(finding) for finding in findings]})
    else:
        from bot.show_learning import show_findings

        show_findings(findings, path.name)
    raise typer.Exit(_WRONG if any(finding.level == "wrong" for finding in findings) else 0)


@terms_app.command()
def mine(as_json: JsonFlag = False) -> None:
    """Rows found in the articles, such as glosses in brackets; ready to paste."""
    from bot.open import opened
    from rag.terms import load_terms, with_local_terms
    from rag.terms_mine import mine as mined

    settings = _settings()
    terms = with_local_terms(load_terms(), settings.corpus_dir)
    with opened(settings) as service, service.store.lease() as generation:
        content = generation.content
        articles = (content.article(listed.id) for listed in content.articles())
        found = mined(articles, terms)
    if as_json:
        print_json({"candidates": [candidate.form() for candidate in found]})
    else:
        from bot.show_learning import show_candidates

        show_candidates(found, [_csv(candidate.row) for candidate in found])


@terms_app.command("try")
def try_row(
    row: Annotated[
        list[str] | None,
        typer.Argument(metavar="ROW", help="A row as in terms.csv: 裝笨,放水,sandbagging"),
    ] = None,
    file: FileFlag = None,
    questions: Annotated[
        Path | None, typer.Option(help="More questions, in the form of golden.jsonl.")
    ] = None,
    as_json: JsonFlag = False,
) -> None:
    """What rows would change: golden questions that get better and worse. Nothing is written."""
    from bot.open import opened
    from rag.canary import read_questions
    from rag.evaluation import read_rows

    settings = _settings()
    rows = [*_rows(row or ()), *_rows_of(file)]
    if not rows:
        raise NothingToTry("give a row, or --file with rows")
    asked: list[Row] = read_questions(settings.corpus_dir)
    asked += read_rows(questions, "question") if questions else []
    if not asked:
        raise NothingToTry("there are no golden questions; give some with --questions")
    with opened(settings) as service:
        trial = service.try_terms(rows, asked)
    if as_json:
        print_json(trial.form())
    else:
        from bot.show_learning import show_trial

        show_trial(trial)


def _settings() -> Settings:
    return load_settings(Flags.values)


def _local(settings: Settings) -> Path:
    from rag.terms import LOCAL_FILE

    return settings.corpus_dir / LOCAL_FILE


def _findings(settings: Settings, path: Path) -> "list[Finding]":
    """With an index also what occurs too often; there need not be one."""
    from rag.generations import GenerationStore
    from rag.terms_check import check_terms

    if not path.is_file():
        raise NothingToCheck(path)
    store = GenerationStore(settings.data_dir)
    try:
        if store.current() is None:
            return check_terms(path)
        with store.lease() as generation:
            return check_terms(path, generation)
    finally:
        store.close()


def _rows(given: Sequence[str]) -> list[list[str]]:
    rows = ([cell.strip() for cell in row if cell.strip()] for row in csv.reader(given))
    return [row for row in rows if row]


def _rows_of(file: Path | None) -> list[list[str]]:
    from rag.terms import local_rows

    if file is None:
        return []
    if not file.is_file():
        raise NothingToTry(f"{file} is not there")
    return [row for row in local_rows(file) if row]


def _csv(row: Sequence[str]) -> str:
    line = io.StringIO()
    csv.writer(line, lineterminator="").writerow(row)
    return line.getvalue()
