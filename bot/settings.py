"""The settings of the Discord bot, read once from DISCORD_TOKEN, YOUJU_DISCORD_* and `.env`."""

from typing import Annotated

from pydantic import BeforeValidator, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from rag.errors import BadSetting
from rag.settings import REPOSITORY


def _split(value: object) -> object:
    return value.replace(",", " ").split() if isinstance(value, str) else value


Ids = Annotated[frozenset[int], NoDecode, BeforeValidator(_split)]
_NONE: frozenset[int] = frozenset()


class BotSettings(BaseSettings):
    """Field names are the lower-cased variables; lists of ids are separated by commas."""

    model_config = SettingsConfigDict(
        env_prefix="YOUJU_DISCORD_",
        env_file=(REPOSITORY / ".env", ".env"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
        populate_by_name=True,
    )

    token: SecretStr = Field(
        SecretStr(""), validation_alias="DISCORD_TOKEN", description="the bot's token"
    )
    guild: int | None = Field(
        None, description="id of a server whose commands are updated at once, for trying out"
    )
    moderator_roles: Ids = Field(
        _NONE, description="ids of roles that may moderate, beside Manage Server"
    )
    allow_channels: Ids = Field(
        _NONE, description="ids of channels or categories; when given, only these are served"
    )
    deny_channels: Ids = Field(_NONE, description="ids of channels or categories not served")
    allow_roles: Ids = Field(_NONE, description="ids of roles; when given, only these may ask")
    deny_roles: Ids = Field(_NONE, description="ids of roles that may not ask")
    direct_messages: bool = Field(True, description="whether direct messages are answered")
    cooldown_questions: int = Field(
        5, ge=1, description="questions a person may ask within the cooldown"
    )
    cooldown: float = Field(20.0, ge=0, description="seconds of the cooldown; 0 turns it off")
    queue: int = Field(50, ge=1, description="questions that may wait at once")
    queue_per_person: int = Field(3, ge=1, description="questions of one person in the queue")
    workers: int = Field(2, ge=1, le=64, description="questions answered at the same time")
    wait: float = Field(60.0, gt=0, description="seconds a question may wait for its turn")
    retention_days: float = Field(
        90.0, gt=0, description="days for which answers and feedback are kept"
    )
    digest_channel: int | None = Field(
        None, description="id of the channel that gets a digest each week; none unless given"
    )
    metrics_port: int | None = Field(
        None, ge=0, le=65535, description="port of health and metrics; none unless given"
    )
    metrics_host: str = Field("127.0.0.1", description="address that this port listens on")


def load_bot_settings() -> BotSettings:
    """The settings; BadSetting names a wrong one. The token is never in a message."""
    try:
        return BotSettings()
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0]) if first["loc"] else "?"
        variable = name if name == "DISCORD_TOKEN" else f"YOUJU_DISCORD_{name.upper()}"
        shown = "…" if name == "DISCORD_TOKEN" else first.get("input")
        raise BadSetting(variable, shown, first["msg"]) from None
