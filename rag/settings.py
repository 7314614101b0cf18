"""Every setting, read once from YOUJU_* variables and `.env`."""

import re
from pathlib import Path
from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationInfo, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_CORPUS = REPOSITORY / "corpus" / "articles"


def _default_data_dir() -> Path:
    """`data/` of a checkout; of an installed package the user's own data folder."""
    if (REPOSITORY / "pyproject.toml").is_file():
        return REPOSITORY / "data"
    from platformdirs import user_data_path

    return user_data_path("youju")


def _seconds(value: object) -> object:
    """Seconds of such as "90", "30m", "6h", "1d"; pydantic refuses what is neither."""
    found = re.fullmatch(r"\s*(\d+(?:\.\d+)?)\s*([smhd]?)\s*", str(value))
    return float(found[1]) * _UNITS[found[2]] if found else value


_UNITS = {"": 1, "s": 1, "m": 60, "h": 3600, "d": 86400}
Duration = Annotated[float, BeforeValidator(_seconds), Field(ge=0)]


class Settings(BaseSettings):
    """The settings of the index and of answering. Field names are the lower-cased variables."""

    model_config = SettingsConfigDict(
        env_prefix="YOUJU_",
        env_file=(REPOSITORY / ".env", ".env"),
        env_ignore_empty=True,
        extra="ignore",
        frozen=True,
    )

    corpus_dir: Path = Field(DEFAULT_CORPUS, description="folder of the articles")
    data_dir: Path = Field(
        default_factory=_default_data_dir, description="folder that holds everything written"
    )
    embed_model: str = Field(
        "", description="sentence-transformers name or folder; empty: the model shipped with youju"
    )
    rerank_model: str = Field(
        "",
        description="reader of the found passages: a sentence-transformers CrossEncoder by name or"
        ' folder, or "none" for the linear reader alone; empty: the reader shipped with youju',
    )
    variant: Literal["hant", "hans"] = Field(
        "hant", description="script of the answer when nothing else decides it"
    )
    keep_generations: int = Field(2, ge=1, le=50, description="generations kept on disk")
    passage_chars: int = Field(
        320, ge=80, le=2000, description="characters a passage may have at most"
    )
    question_chars: int = Field(2000, ge=1, description="characters a question may have at most")
    reindex_deadline: float = Field(
        3600.0, gt=0, description="seconds after which a hanging reindex is ended"
    )
    reindex_every: Duration = Field(
        0.0, description="time between two reindexes of a running bot, such as 30m or 6h; 0: none"
    )
    canary_tolerance: float = Field(
        0.1, ge=0, le=1,
        description="share of the golden questions by which fewer may come out right; 1: any",
    )  # fmt: skip
    keep_questions: bool = Field(
        False,
        description="whether the command line keeps what it was asked in vain, for `youju gaps`",
    )
    support: float = Field(
        0.5, ge=0, le=1, description="probability of support below which a question is refused"
    )
    llm_base_url: str = Field(
        "", description="address of an OpenAI-compatible server, with its /v1; empty: no model"
    )
    llm_api_key: SecretStr = Field(
        SecretStr(""), description="key of that server; may stay empty for a local one"
    )
    llm_model: str = Field(
        "", validate_default=True, description="name of the model that writes answers"
    )
    llm_deadline: float = Field(
        60.0, gt=0, le=600, description="seconds for all that the model does for one question"
    )
    llm_max_tokens: int = Field(
        1024, ge=64, le=16384, description="tokens that the model may write for an answer"
    )
    llm_concurrency: int = Field(4, ge=1, le=64, description="calls to the model at one time")
    llm_condense: bool = Field(
        True, description="whether the model makes a follow-up a stand-alone question"
    )
    llm_rewrites: int = Field(
        0, ge=0, le=5, description="other wordings of a question that are searched for too"
    )
    llm_passage_questions: int = Field(
        0, ge=0, le=5, description="questions that the model writes for each passage when indexing"
    )

    chroma_url: str = Field(
        "", description="address of a Chroma server that several bots share; empty: an own store"
    )
    chroma_token: SecretStr = Field(SecretStr(""), description="token for what stands before it")
    chroma_token_header: str = Field(
        "Authorization",
        pattern=r"^[A-Za-z0-9-]+$",
        description="header that carries the token, after `Bearer` where it is Authorization",
    )
    chroma_tenant: str = Field("default_tenant", min_length=3, description="tenant on the server")
    chroma_database: str = Field(
        "default_database", min_length=3, description="database of this community on the server"
    )
    chroma_deadline: float = Field(
        2.0, gt=0, le=60, description="seconds that a question waits for the server"
    )

    @field_validator("llm_base_url")
    @classmethod
    def _is_an_address(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("it is no address that begins with http:// or https://")
        if "@" in parts.netloc:
            raise ValueError("a key in the address ends up in logs: use YOUJU_LLM_API_KEY")
        return value.rstrip("/")

    @field_validator("llm_api_key")
    @classmethod
    def _fits_a_header(cls, value: SecretStr) -> SecretStr:
        key = value.get_secret_value().strip()
        if any(not "!" <= char <= "~" for char in key):
            raise ValueError("it holds blanks or characters that no key has")
        return SecretStr(key)

    @field_validator("chroma_url")
    @classmethod
    def _is_a_server(cls, value: str) -> str:
        parts = urlsplit(value)
        if value and (parts.scheme not in ("http", "https") or not parts.hostname):
            raise ValueError("it is no address that begins with http:// or https://")
        if "@" in parts.netloc or parts.query or parts.fragment:
            raise ValueError("a token in the address ends up in logs: use YOUJU_CHROMA_TOKEN")
        return value.rstrip("/")

    @field_validator("chroma_token")
    @classmethod
    def _fits_its_header(cls, value: SecretStr) -> SecretStr:
        token = value.get_secret_value().strip()
        if any(not " " <= char <= "~" for char in token):
            raise ValueError("it holds characters that no header may have")
        return SecretStr(token)

    @field_validator("llm_model")
    @classmethod
    def _is_whole(cls, value: str, info: ValidationInfo) -> str:
        address = info.data.get("llm_base_url", "")
        key = info.data.get("llm_api_key", SecretStr("")).get_secret_value()
        if address and not value:
            raise ValueError("YOUJU_LLM_BASE_URL is set, so the model must be named too")
        if (value or key) and not address and "llm_base_url" in info.data:
            raise ValueError("YOUJU_LLM_BASE_URL is missing, which says where the model is")
        return value
