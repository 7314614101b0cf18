"""Generations on a Chroma server, for any number of machines.

youju-journal        which generation serves, and who builds (rag.journal)
youju-<name>         the vectors of a generation
youju-<name>-files   its files: articles, passages, words, and the manifest, written last

Each machine keeps a copy of the files below its data directory and asks the server for vectors
only. While it does not answer, words alone are searched.
"""

import logging
import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

from rag.chroma_address import Address
from rag.chroma_server import PATIENCE, Missing, Server
from rag.collection import Collection
from rag.errors import (
    BrokenGeneration,
    BuilderFailed,
    VectorsUnreachable,
)
from rag.fetched import Fetched
from rag.filling import made_in
from rag.follower import Follower
from rag.generation import Generation
from rag.journal import Journal, Outpaced
from rag.lease import LEASE, Lease
from rag.local_shelf import LocalShelf, staged_name
from rag.lock import builder_lock
from rag.manifest import FILE_NAME, Manifest, ManifestError, check_files, read_manifest
from rag.parcels import Parcels, files_of, vectors_of
from rag.patient import Patient, queried
from rag.shelf import Shelf

_log = logging.getLogger(__name__)
_T = TypeVar("_T")
_OURS = re.compile(r"youju-(\d{8}T\d{6}-[0-9a-f]{6})(-files)?")
_TRIES = 10  # of changing the pointer while others do
_BRIEFLY = 5.0  # seconds for tidying up behind a build that failed


class ServerShelf(Shelf):
    """The generations in one database on a server. `deadline`: seconds that a question waits."""

    copies = False

    def __init__(
        self,
        address: Address,
        data_dir: Path,
        keep: int = 2,
        deadline: float = 2.0,
        patience: float = PATIENCE,
        lease: float = LEASE,
    ) -> None:
        self.data_dir, self.keep = data_dir, keep
        self.server = Server(address, patience)
        self._deadline, self._lease_seconds = deadline, lease
        self._journal, self._parcels = Journal(self.server), Parcels(self.server)
        root = data_dir / "servers" / address.key
        self.fetched = Fetched(root, self._parcels)
        self._staging = LocalShelf(root, keep)
        self.pointers: Follower = Follower(self.server, self._journal, self.fetched, deadline)
        self._lease: Lease | None = None
        self._superseded: str | None = None
        self._committed = False

    # For readers.

    def present(self) -> Sequence[str]:
        whole = [name for name in self._on_server() if self._parcels.has_manifest(name)]
        return tuple(sorted(whole, reverse=True))  # a name begins with its date

    def manifest(self, name: str) -> Manifest:
        if (self.fetched.directory / name / FILE_NAME).is_file():
            return read_manifest(self.fetched.directory / name)
        if self.server.down is not None:
            raise ManifestError(str(self.server.down))
        try:
            return self._told(name)
        except VectorsUnreachable as error:
            raise ManifestError(str(error)) from error

    def open(self, name: str) -> Generation:
        try:
            return self._opened(self.fetched.ensure(name), name)
        except BrokenGeneration:
            if not self.fetched.drop(name):
                raise
        try:  # the copy was damaged, and not what it was copied from
            return self._opened(self.fetched.ensure(name), name)
        except VectorsUnreachable as error:
            raise BrokenGeneration(name, str(error)) from error

    def damage(self, name: str, *, thorough: bool = False) -> str | None:
        """What the server lacks of a generation; a damaged copy is dropped and fetched anew."""
        try:
            manifest = self._told(name)
            vectors = self.server.on(vectors_of(name), lambda c: c.count())
            lacking = self._parcels.lacking(name, manifest) if thorough else None
        except (ManifestError, Missing) as error:
            return str(error)
        if vectors != manifest.passages:
            return f"{vectors} vectors on the server instead of {manifest.passages}"
        if thorough and (self.fetched.directory / name).is_dir():
            self._mend_copy(name, manifest)
        return f"{lacking} is not on the server" if lacking else None

    def look_again(self) -> None:
        self.pointers.look_again()

    def close(self) -> None:
        self.pointers.end()
        self.server.close()

    # For the builder.

    @contextmanager
    def builder_lock(self, command: str) -> Iterator[None]:
        with builder_lock(self.data_dir, command):
            self.server.call(lambda client: client.make_place())
            home = self.fetched.home()
            with Lease(self.server, self._journal, home, command, self._lease_seconds) as lease:
                self._lease, self.pointers.builds_in = lease, lease.held
                try:
                    yield
                finally:
                    self._lease = self.pointers.builds_in = None

    @contextmanager
    def staging(self) -> Iterator[Path]:
        self._committed = False
        with self._staging.staging() as staged:
            try:
                yield staged
            finally:
                # A pointer that was half-written may still come to name it: the next one cleans.
                if not self._committed:
                    with suppress(VectorsUnreachable):
                        self._drop(staged_name(staged), _BRIEFLY)

    @contextmanager
    def collection(self, staged: Path, passages: int, copy_of: str | None = None) -> Iterator[Any]:
        assert copy_of is None, "a collection on a server is never copied"
        name = vectors_of(staged_name(staged))
        self.server.call(lambda client: made_in(client, name, passages))
        yield Patient(self.server, name, self.require_lease)

    def open_staged(self, staged: Path) -> Generation:
        patient = Patient(self.server, vectors_of(staged_name(staged)), self.require_lease)
        return Generation.open(staged, lambda: Collection(patient.count, patient.found, _nothing))

    def publish(self, staged: Path) -> str:
        name = staged_name(staged)
        self.require_lease()
        self._parcels.send(name, staged)
        self.fetched.adopt(staged, name)  # before a bot over this directory would fetch it
        self._superseded, self._committed = self.serving(), True
        self.point(name)
        return name

    def clean(self) -> Sequence[str]:
        """As well as what is kept, readers elsewhere may still be at what has just served."""
        try:
            self.require_lease()
            kept = {*self.names()[: self.keep], self._superseded}
            self.fetched.sweep(self.names())
            return [name for name in self._on_server() if name not in kept and self._drop(name)]
        except (VectorsUnreachable, BuilderFailed) as error:  # the new one serves nevertheless
            _log.warning("The next reindex cleans up: %s", error)
            return []

    def clean_half_built(self) -> Sequence[str]:
        self.require_lease()
        swept = self.fetched.sweep_staged()
        half = [n for n in self._on_server() if not self._parcels.has_manifest(n)]
        return [*swept, *(name for name in half if self._drop(name))]

    def point(self, name: str) -> None:
        _persistently(lambda: super(ServerShelf, self).point(name))

    def rollback(self) -> str:
        return _persistently(lambda: super(ServerShelf, self).rollback())

    def mend(self) -> None:
        _persistently(lambda: super(ServerShelf, self).mend())

    def require_lease(self) -> None:
        """BuilderFailed unless we are the one who builds."""
        if self._lease is None:
            raise BuilderFailed("nobody gave it a turn")
        self._lease.held()

    # Parts.

    def _opened(self, directory: Path, name: str) -> Generation:
        vectors = vectors_of(name)

        def ask(action: Callable[[Any], _T]) -> _T:
            return self.server.ask(vectors, action, self._deadline)

        def query(wanted: list[list[float]], k: int) -> Any:
            return ask(lambda collection: queried(collection, wanted, k))

        return Generation.open(
            directory, lambda: Collection(lambda: ask(lambda c: int(c.count())), query, _nothing)
        )

    def _told(self, name: str) -> Manifest:
        """The manifest that the server has."""
        with TemporaryDirectory() as aside:
            self._parcels.fetch_manifest(name, Path(aside))
            return read_manifest(Path(aside))

    def _mend_copy(self, name: str, manifest: Manifest) -> None:
        try:
            check_files(self.fetched.directory / name, manifest, thorough=True)
        except (ManifestError, OSError):
            self.fetched.drop(name)

    def _on_server(self) -> list[str]:
        """The names of all generations of which the server has anything."""
        found = filter(None, map(_OURS.fullmatch, self.server.names()))
        return sorted({match.group(1) for match in found})

    def _drop(self, name: str, seconds: float | None = None) -> bool:
        """Remove a generation from the server, what says that it is whole before the rest."""
        self.server.drop(files_of(name), seconds)
        self.server.drop(vectors_of(name), seconds)
        return True


def _persistently(change: Callable[[], _T]) -> _T:
    """Change the pointer, again when another machine was faster."""
    for _ in range(_TRIES):
        with suppress(Outpaced):
            return change()
    raise BuilderFailed("others went on changing which index serves")


def _nothing() -> None:
    """A generation does not close the server that others ask too."""
