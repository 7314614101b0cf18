"""What the command line keeps of a question: nothing, unless YOUJU_KEEP_QUESTIONS is set.

Its questions belong to whoever sits there and are not the community's. With the setting, those
that were asked in vain come into `youju gaps` under nobody's name, for as long as the bot's.
"""

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from bot.language import language_for
from bot.memory import Memory
from bot.memory_file import FILE
from bot.noting import in_vain, note
from bot.settings import load_bot_settings
from bot.shown import shown_answer
from rag.errors import YoujuError
from rag.result import Answer
from rag.service import Service
from rag.settings import Settings

LOCAL = "local"  # instead of a person's hash
_log = logging.getLogger(__name__)


@contextmanager
def kept(settings: Settings) -> Iterator[Memory | None]:
    """The memory that the bot writes, None where there is none yet. A damaged one is named."""
    if not (settings.data_dir / FILE).exists():
        yield None
        return
    memory = Memory(settings.data_dir, load_bot_settings().retention_days, mend=False)
    try:
        yield memory
    finally:
        memory.close()


def keep(service: Service, answer: Answer, history: Sequence[str]) -> None:
    """Keep a question that was asked in vain. The answer was given: trouble is only told."""
    if not service.settings.keep_questions:
        return
    try:
        _keep(service, answer, history)
    except YoujuError as error:
        _log.warning("The question could not be kept: %s", error)


def _keep(service: Service, answer: Answer, history: Sequence[str]) -> None:
    language = language_for(answer.variant, None, answer.question, None)
    shown = shown_answer(answer, {answer.variant: answer.text}, history, language)
    if not in_vain(shown):
        return
    memory = Memory(service.settings.data_dir, load_bot_settings().retention_days, mend=False)
    try:
        note(memory, service.embedder, memory.keep(shown, LOCAL, None), shown)
        memory.expire(LOCAL)  # how long the bot keeps its own is for the bot's settings to say
    finally:
        memory.close()
