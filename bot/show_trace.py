"""Why an answer came out as it did, in a terminal; with what a language model made of it."""

from rich.text import Text

from bot.escape import printable
from bot.show import excerpt, say, show_hit, show_table
from rag.result import Usage
from rag.trace import Trace
from rag.writing import Writing

_EXCERPT = 60  # characters of a passage that are shown
_FORMS = 12  # of a word


def show_trace(trace: Trace) -> None:
    """Everything that decided an answer."""
    widened = [f"{form}: {', '.join(o[:_FORMS])}" for form, o in trace.forms.items() if o]
    show_table(
        {
            "question": trace.question,
            "searched": trace.searched,
            "folded": trace.folded,
            "asks for": ", ".join(trace.kinds) or "-",
            "widened": "\n".join(widened) or "-",
            "weights": ", ".join(f"{name} {weight:g}" for name, weight in trace.fusion.items()),
            "support": f"{trace.support:.3f} (answers from {trace.threshold:.3f}): {trace.status}",
            "generation": trace.generation,
        }
    )
    for place, hit in enumerate(trace.hits, 1):
        show_hit(place, hit, excerpt(hit.passage.text, _EXCERPT))
    for sentence in trace.sentences:
        say(Text(printable(sentence.text)), 8, Text(f"{sentence.score:6.2f}", "bold"))
    if trace.writing is not None:
        _show_writing(trace.writing)


def _show_writing(writing: Writing) -> None:
    """What the model was asked, what it said, what became of each sentence, and its cost."""
    usage = writing.usage or Usage()
    told = f"{usage.calls} calls, {usage.prompt_tokens} + {usage.completion_tokens} tokens"
    show_table(
        {
            "written by": writing.engine,
            "degraded": writing.degraded or "-",
            "searched": "\n".join(writing.queries) or "-",
            "model's cost": told + " (estimated)" * usage.estimated,
        }
    )
    for grounded in writing.grounded:
        verdict = f"{grounded.verdict:>9} {grounded.found}/{grounded.claimed}"
        say(Text(printable(grounded.claim.text)), 15, Text(verdict, "bold"))
