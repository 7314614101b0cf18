"""What the bot itself refuses or cannot do; `bot.errors_text` has a sentence for each.

BotRefusal               a person is told why, and what to do
├── CoolingDown
├── QueueFull
├── TooManyWaiting
├── WaitedTooLong
├── Stopped
├── ShuttingDown
├── NotServedHere
├── NotModerator
├── NotTheAsker
├── AnswerGone
├── NothingAskedYet
├── GapGone
├── AlreadyRunning
└── MissingPermission
ConfigurationError
├── NoToken
├── TokenRefused
├── MetricsPortTaken
└── BrokenMemory
DependencyUnreachable
└── DiscordUnreachable
"""

from pathlib import Path

from rag.errors import ConfigurationError, DependencyUnreachable


class BotRefusal(Exception):
    """Base of what a person is told; the attributes fill the fields of its sentence."""


class CoolingDown(BotRefusal):
    """`repeated`: this person was told so already in this cooldown."""

    def __init__(self, seconds: float, repeated: bool = False) -> None:
        super().__init__(f"asked too often; again in {seconds:.0f} s")
        self.seconds, self.repeated = max(1, round(seconds)), repeated


class QueueFull(BotRefusal):
    def __init__(self, depth: int) -> None:
        super().__init__(f"{depth} questions are waiting")
        self.depth = depth


class TooManyWaiting(BotRefusal):
    def __init__(self, limit: int) -> None:
        super().__init__(f"this person has {limit} questions waiting")
        self.limit = limit


class WaitedTooLong(BotRefusal):
    def __init__(self, seconds: float) -> None:
        super().__init__(f"no turn within {seconds:.0f} s")
        self.seconds = round(seconds)


class Stopped(BotRefusal):
    """The asker took the question back."""


class ShuttingDown(BotRefusal):
    """The bot is about to close."""


class NotServedHere(BotRefusal):
    """The channel, category or role is not served."""


class NotModerator(BotRefusal):
    """Neither Manage Server nor one of the configured roles."""


class NotTheAsker(BotRefusal):
    """Only who asked may do this."""


class AnswerGone(BotRefusal):
    """The answer was forgotten or is older than what is kept."""


class NothingAskedYet(BotRefusal):
    """There is no answer to look behind."""


class GapGone(BotRefusal):
    """The question was forgotten or is older than what is kept."""


class AlreadyRunning(BotRefusal):
    """A reindex is running."""


class MissingPermission(BotRefusal):
    """Discord does not let the bot do this here."""


class NoToken(ConfigurationError):
    def __init__(self) -> None:
        super().__init__(
            "DISCORD_TOKEN is not set: put the bot's token there or into `.env` "
            "(docs/DISCORD.md says where it comes from)."
        )


class TokenRefused(ConfigurationError):
    def __init__(self) -> None:
        super().__init__(
            "Discord does not accept DISCORD_TOKEN: copy it anew from the developer portal "
            "(Bot > Reset Token)."
        )


class MetricsPortTaken(ConfigurationError):
    def __init__(self, port: int, why: str) -> None:
        super().__init__(
            f"Health and metrics cannot be served on port {port} ({why}): set "
            "YOUJU_DISCORD_METRICS_PORT to a free one, or unset it."
        )
        self.port, self.why = port, why


class BrokenMemory(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The file {path} is damaged ({why}): move it away, or start `youju bot`, which sets "
            "it aside and begins a new one."
        )
        self.path, self.why = path, why


class DiscordUnreachable(DependencyUnreachable):
    def __init__(self, why: str) -> None:
        super().__init__(f"Discord cannot be reached ({why}): check the network.")
        self.why = why
