"""A conversation in the terminal."""

import re
import sys
from collections.abc import Iterator

from bot.flags import print_json
from bot.forms import answer_form
from bot.live import answered
from bot.show import err, out, show_answer
from bot.texts import language_of, text
from rag.errors import UsageError
from rag.question import HISTORY
from rag.result import Variant
from rag.service import Service

_STEERS = re.compile(r"/\S*")  # such as /help: no question, but no slash word of ours either
_SCRIPTS: dict[str, Variant] = {"/繁": "hant", "/简": "hans", "/簡": "hans"}


def converse(service: Service, variant: Variant | None, *, as_json: bool = False) -> None:
    """Answer line after line until the input ends; slash words steer."""
    language = language_of(variant or service.settings.variant)
    if not as_json:
        err.print(text(language, "chat.welcome"))
    history: list[str] = []
    for line in _lines(prompt=not as_json and sys.stdin.isatty()):
        if line in _SCRIPTS:
            variant = _SCRIPTS[line]
            language = language_of(variant)
            err.print(text(language, "chat.switched"))
        elif line == "/新":
            history.clear()
            err.print(text(language, "chat.fresh"))
        elif _STEERS.fullmatch(line):
            err.print(text(language, "chat.welcome"))
        else:
            _turn(service, line, history, variant, as_json)
    if not as_json:
        err.print(text(language, "chat.bye"))


def _turn(
    service: Service, line: str, history: list[str], variant: Variant | None, as_json: bool
) -> None:
    try:
        answer = answered(service, line, history, variant, watched=not as_json)
    except UsageError as error:
        err.print(str(error))
        return
    earlier = tuple(history)
    history.append(line)
    del history[:-HISTORY]
    if as_json:
        print_json(answer_form(answer))
    else:
        show_answer(answer)
        out.print()
    if service.settings.keep_questions:
        from bot.keeping import keep

        keep(service, answer, earlier)


def _lines(*, prompt: bool) -> Iterator[str]:
    if prompt:
        import readline  # noqa: F401  # line editing and history for input()
    while True:
        try:
            line = input("❯ " if prompt else "").strip()
        except EOFError:
            return
        if line:
            yield line
