"""What all machines over one Chroma server agree on: which generation serves, and who builds.

A collection of entries that count up. Chroma keeps the first of two records with one id, so an
entry is written once: who writes the next number and reads back its own has changed the state, and
everyone else has to look again. Nothing is ever changed in place, and no clock decides anything.
"""

import json
import re
import secrets
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from rag.chroma_server import Missing, Server
from rag.errors import VectorsUnreachable
from rag.pointer import Pointer

JOURNAL = "youju-journal"
FORMAT = 1
_KEPT = 50  # entries; a writer that slept through more of them finds its own predecessor gone
_NAME = re.compile(r"\d{8}T\d{6}-[0-9a-f]{6}")
_BEAT = "beat-"


class Outpaced(Exception):
    """Someone else wrote the next entry; look again."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Who builds: a token of this one holding, the home it builds in, and words for people."""

    token: str
    home: str
    told: str


@dataclass(frozen=True, slots=True)
class Entry:
    """The state from this entry on. `nonce` tells its writer from others of the same number."""

    number: int
    nonce: str
    pointer: Pointer | None
    builder: Holder | None

    @property
    def stamp(self) -> tuple[int, str]:
        return self.number, self.nonce


@dataclass(frozen=True, slots=True)
class State:
    """The newest readable entry, None in an empty journal, and what else there is.

    `nonces` by the numbers of all entries, "" where one is damaged; `beats` say until when each
    builder wants to be thought alive, in seconds by the server's clock.
    """

    entry: Entry | None
    nonces: Mapping[int, str]
    beats: Mapping[str, float]

    @property
    def pointer(self) -> Pointer | None:
        return self.entry.pointer if self.entry else None

    @property
    def builder(self) -> Holder | None:
        return self.entry.builder if self.entry else None

    @property
    def last(self) -> int:
        return max(self.nonces, default=0)


class Journal:
    """The journal of one database on a server."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def state(self, seconds: float | None = None) -> State:
        """What it says now, in one request."""
        try:
            found = self._server.on(JOURNAL, lambda c: c.get(include=["metadatas"]), seconds)
        except Missing:
            return State(None, {}, {})
        return _state(zip(found["ids"], found["metadatas"], strict=True))

    def append(
        self,
        before: State,
        pointer: Pointer | None,
        builder: Holder | None,
        seconds: float | None = None,
    ) -> State:
        """Write the entry that follows a state; Outpaced when that is not the newest any more."""
        entry = Entry(before.last + 1, secrets.token_hex(8), pointer, builder)
        written = json.dumps({"format": FORMAT, **asdict(entry)}, ensure_ascii=False)
        self._put(_key(entry.number), {"entry": written}, seconds, "add")
        after = self.state(seconds)
        # The one before must still be there: else ours may stand where another was cleared away.
        if after.nonces.get(entry.number) != entry.nonce or (
            before.last and before.last not in after.nonces
        ):
            raise Outpaced
        self._clear(after, entry, seconds)
        return after

    def beat(self, token: str, until: float, seconds: float | None = None) -> None:
        """A builder is alive, and wants to be thought so until then."""
        self._put(_BEAT + token, {"until": until}, seconds, "upsert")

    def _put(
        self, ident: str, metadata: Mapping[str, Any], seconds: float | None, how: str
    ) -> None:
        def put(client: Any) -> None:
            collection = client.get_or_create_collection(JOURNAL, embedding_function=None)
            getattr(collection, how)(ids=[ident], embeddings=[[0.0]], metadatas=[dict(metadata)])

        self._server.call(put, seconds)

    def _clear(self, state: State, entry: Entry, seconds: float | None) -> None:
        """Forget old entries and the beats of builders that are gone."""
        old = [_key(number) for number in state.nonces if number <= entry.number - _KEPT]
        mine = entry.builder.token if entry.builder else ""
        old += [_BEAT + token for token in state.beats if token != mine]
        if old:
            with suppress(Missing, VectorsUnreachable):  # the next one does it
                self._server.on(JOURNAL, lambda c: c.delete(ids=sorted(old)), seconds)


def _key(number: int) -> str:
    return f"{number:012}"


def _state(records: Iterable[tuple[str, Any]]) -> State:
    entries, nonces, beats = list[Entry](), dict[int, str](), dict[str, float]()
    for ident, metadata in records:
        if ident.startswith(_BEAT):
            beats[ident.removeprefix(_BEAT)] = float((metadata or {}).get("until", 0.0))
        elif ident.isdecimal():
            entry = _entry(metadata)
            nonces[int(ident)] = entry.nonce if entry else ""
            entries += [entry] if entry else []
    newest = max(entries, key=lambda entry: entry.number, default=None)
    return State(newest, nonces, beats)


def _entry(metadata: Any) -> Entry | None:
    """What a record says; None when it is damaged or of another format."""
    try:
        raw = json.loads(metadata["entry"])
        if raw["format"] != FORMAT:
            return None
        pointer, builder = raw["pointer"], raw["builder"]
        return Entry(
            int(raw["number"]),
            str(raw["nonce"]),
            Pointer(_name(pointer["current"]), tuple(map(_name, pointer["history"])))
            if pointer
            else None,
            Holder(**builder) if builder else None,
        )
    except (ValueError, KeyError, TypeError):
        return None


def _name(told: Any) -> str:
    """A generation's name, which becomes the name of a directory: nothing else may."""
    if not isinstance(told, str) or not _NAME.fullmatch(told):
        raise ValueError(told)
    return told
