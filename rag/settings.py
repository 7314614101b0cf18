"""Every setting, read once from YOUJU_* variables and `.env`."""

from pathlib import Path
from typing import Literal

from pydantic import Field
from pydantic_settings import BaseSettings, SettingsConfigDict

REPOSITORY = Path(__file__).resolve().parent.parent
DEFAULT_CORPUS = REPOSITORY / "corpus" / "articles"


def _default_data_dir() -> Path:
    """`data/` of a checkout; of an installed package the user's own data folder."""
    if (REPOSITORY / "pyproject.toml").is_file():
        return REPOSITORY / "data"
    from platformdirs import user_data_path

    return user_data_path("youju")


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
    support: float = Field(
        0.5, ge=0, le=1, description="probability of support below which a question is refused"
    )
