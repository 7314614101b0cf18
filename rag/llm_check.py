"""Whether a configured language model can be reached, and whether its server knows it."""

from dataclasses import dataclass
from typing import TYPE_CHECKING

from rag.errors import LanguageModelFailed
from rag.llm_faults import failure_of
from rag.settings import Settings

if TYPE_CHECKING:
    import httpx

_PATIENCE = 10.0  # seconds
_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Reached:
    """What a server said of its models; `known` is None where it lists none."""

    known: bool | None
    models: tuple[str, ...] = ()


def reach(settings: Settings) -> Reached:
    """Ask the server for its models. Raises LanguageModelFailed with the reason."""
    import httpx

    key = settings.llm_api_key.get_secret_value()
    headers = {"Authorization": f"Bearer {key}"} if key else {}
    patience = min(_PATIENCE, settings.llm_deadline)
    try:
        response = httpx.get(f"{settings.llm_base_url}/models", headers=headers, timeout=patience)
    except Exception as error:  # an address can be wrong in many ways, none of them ours
        raise failure_of(error) from None
    if response.status_code in (401, 403):
        raise LanguageModelFailed("unauthorized")
    if response.status_code >= 500:
        raise LanguageModelFailed("server_error")
    models = _listed(response)
    if not models:
        return Reached(None)
    return Reached(settings.llm_model in models, tuple(models[:_SHOWN]))


def _listed(response: "httpx.Response") -> list[str]:
    try:
        return [str(model["id"]) for model in response.json()["data"]]
    except (ValueError, KeyError, TypeError):
        return []
