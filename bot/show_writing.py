"""What a language model was asked, what it said, and what became of each sentence."""

from rich.table import Table
from rich.text import Text

from bot.escape import printable
from bot.show import out
from rag.result import Usage
from rag.writing import Writing


def show_writing(writing: Writing) -> None:
    """The part of `youju why` that is the model's, with what it cost."""
    usage = writing.usage or Usage()
    told = f"{usage.calls} calls, {usage.prompt_tokens} + {usage.completion_tokens} tokens"
    rows = {
        "written by": writing.engine,
        "degraded": writing.degraded or "-",
        "searched": "\n".join(writing.queries) or "-",
        "model's cost": told + " (estimated)" * usage.estimated,
    }
    table = Table(box=None, show_header=False)
    for name, value in rows.items():
        table.add_row(Text(name, "bold"), Text(printable(value), overflow="fold"))
    out.print(table)
    for grounded in writing.grounded:
        verdict = f"{grounded.verdict:>9} {grounded.found}/{grounded.claimed}  "
        said = Text.assemble((verdict, "bold"), printable(grounded.claim.text))
        out.print(said, soft_wrap=True)
