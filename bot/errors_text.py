"""What people are told when something goes wrong: one table from the error to its sentence."""

import logging
import secrets
from typing import Any

import discord
from discord import app_commands

from bot import errors as ours
from bot.language import language_of_locale
from bot.texts import text
from rag import errors as rag

_log = logging.getLogger(__name__)

SENTENCES: dict[type[BaseException], str] = {
    rag.YoujuError: "error.youju",
    rag.UsageError: "error.usage",
    rag.EmptyQuestion: "error.empty_question",
    rag.QuestionTooLong: "error.question_too_long",
    rag.DuplicateGolden: "error.duplicate_golden",
    rag.QuoteNotFound: "error.quote_not_found",
    rag.NoQuote: "error.no_quote",
    rag.ConfigurationError: "error.configuration",
    rag.DiskFull: "error.disk_full",
    rag.NoPlaceForGolden: "error.no_place_for_golden",
    rag.NoIndex: "error.no_index",
    rag.BrokenGeneration: "error.broken_generation",
    rag.NothingToRollBack: "error.nothing_to_roll_back",
    rag.CorpusError: "error.corpus",
    rag.CorpusMissing: "error.corpus_missing",
    rag.CorpusEmpty: "error.corpus_empty",
    rag.AllArticlesFailed: "error.all_articles_failed",
    rag.CanaryFell: "error.canary_fell",
    rag.DependencyUnreachable: "error.dependency",
    rag.LanguageModelFailed: "error.language_model",
    rag.VectorsUnreachable: "error.vectors_unreachable",
    rag.BuilderBusy: "error.builder_busy",
    rag.BuilderFailed: "error.builder_failed",
    ours.CoolingDown: "error.cooling_down",
    ours.QueueFull: "error.queue_full",
    ours.TooManyWaiting: "error.too_many_waiting",
    ours.WaitedTooLong: "error.waited_too_long",
    ours.Stopped: "error.stopped",
    ours.ShuttingDown: "error.shutting_down",
    ours.NotServedHere: "error.not_served_here",
    ours.NotModerator: "error.not_moderator",
    ours.NotTheAsker: "error.not_the_asker",
    ours.AnswerGone: "error.answer_gone",
    ours.NothingAskedYet: "error.nothing_asked_yet",
    ours.GapGone: "error.gap_gone",
    ours.AlreadyRunning: "error.already_running",
    ours.MissingPermission: "error.missing_permission",
    app_commands.NoPrivateMessage: "error.not_in_private",
    app_commands.CommandSignatureMismatch: "error.old_command",
    app_commands.CommandNotFound: "error.old_command",
    discord.Forbidden: "error.missing_permission",
}


def sentence_for(error: BaseException, language: str) -> str:
    """The sentence of the nearest class that has one; of an unknown error a number to quote."""
    if isinstance(error, app_commands.CommandInvokeError):
        error = error.original
    for kind in type(error).__mro__:
        if kind in SENTENCES:
            return text(language, SENTENCES[kind], **_values(error))
    number = secrets.token_hex(3)
    _log.error("Trouble %s", number, exc_info=error)
    return text(language, "error.unknown", number=number)


async def explain(interaction: "discord.Interaction[Any]", error: BaseException) -> None:
    """Tell whoever acted, and nobody else; quietly when Discord has let go of the interaction."""
    sentence = sentence_for(error, language_of_locale(interaction.locale.value))
    try:
        if interaction.response.is_done():
            await interaction.followup.send(sentence, ephemeral=True)
        else:
            await interaction.response.send_message(sentence, ephemeral=True)
    except (discord.HTTPException, OSError) as lost:
        _log.warning("Nobody could be told %r: %s", sentence, lost)


def _values(error: BaseException) -> dict[str, Any]:
    """Numbers for the sentence. Paths and reasons stay in the log: they are not for a channel."""
    return {k: v for k, v in vars(error).items() if isinstance(v, int | float)}
