"""Where a Chroma server is and how one may enter; imports nothing of Chroma's."""

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from rag.order import Order
    from rag.settings import Settings


@dataclass(frozen=True, slots=True)
class Address:
    """A server, and the tenant and database on it that hold one community's generations."""

    url: str
    token: str = field(default="", repr=False)
    token_header: str = "Authorization"
    tenant: str = "default_tenant"
    database: str = "default_database"

    @classmethod
    def of(cls, told: "Order | Settings") -> "Address":
        """Of an order or of settings, whose fields have the same names."""
        token = told.chroma_token
        return cls(
            told.chroma_url,
            token if isinstance(token, str) else token.get_secret_value(),
            told.chroma_token_header,
            told.chroma_tenant,
            told.chroma_database,
        )

    @property
    def tls(self) -> bool:
        return urlsplit(self.url).scheme == "https"

    @property
    def port(self) -> int:
        return urlsplit(self.url).port or (443 if self.tls else 80)

    @property
    def host(self) -> str:
        """What Chroma's client takes: a name, or a whole address when there is a path behind it."""
        parts = urlsplit(self.url)
        name = parts.hostname or ""
        named = f"[{name}]" if ":" in name else name
        return f"{parts.scheme}://{named}:{self.port}{parts.path}" if parts.path else named

    @property
    def key(self) -> str:
        """A short name of the place, for a directory of what was fetched from it."""
        place = "\n".join((self.url, self.tenant, self.database))
        return hashlib.sha256(place.encode()).hexdigest()[:12]

    def headers(self) -> dict[str, str]:
        """The token as the header wants it: `Authorization` takes a scheme before it."""
        if not self.token:
            return {}
        bearer = self.token_header.lower() == "authorization" and " " not in self.token
        return {self.token_header: f"Bearer {self.token}" if bearer else self.token}
