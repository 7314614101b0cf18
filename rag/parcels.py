"""The files of a generation on a Chroma server: parts in the metadata of a collection's records.

In metadata, since Chroma indexes every document by trigrams: 16 MB of files took 59 s and 176 MB
of the server's disk as documents, 2 s and 68 MB as metadata. The manifest is the last file written,
and holds the size and the SHA-256 of all others.
"""

import base64
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

from rag.chroma_server import Missing, Server
from rag.errors import BrokenGeneration, DataDirUnusable
from rag.generation import LOCK
from rag.manifest import FILE_NAME, Manifest, ManifestError, check_files, read_manifest

_PART = 256 * 1024  # bytes before compression; a request may have 40 MB
_AT_ONCE = 16  # parts a request
_WHOLE = 64 * 1024 * 1024  # bytes that a manifest may have; it is one part
_MANIFEST = f"{FILE_NAME}#0"


def vectors_of(name: str) -> str:
    """The collection that holds a generation's vectors, as LlamaIndex reads it."""
    return f"youju-{name}"


def files_of(name: str) -> str:
    """The collection that holds a generation's files."""
    return f"{vectors_of(name)}-files"


class Parcels:
    """Sends the files of generations to a server and fetches them from it."""

    def __init__(self, server: Server) -> None:
        self._server = server

    def send(self, name: str, directory: Path) -> None:
        """Send all files that the manifest names, and then the manifest."""
        for path, file in read_manifest(directory).files.items():
            with (directory / path).open("rb") as opened:
                for group in _grouped(_parts(path, file.size)):
                    self._put(name, {part: opened.read(_PART) for part in group})
        self._put(name, {_MANIFEST: (directory / FILE_NAME).read_bytes()})

    def fetch(self, name: str, directory: Path) -> None:
        """Fetch all into a directory; BrokenGeneration when it is not what was sent."""
        try:
            self.fetch_manifest(name, directory)
            manifest = read_manifest(directory)
            for path, file in manifest.files.items():
                self._fetch_file(name, _inside(directory, path), _parts(path, file.size))
            check_files(directory, manifest, thorough=True)
            (directory / LOCK).touch()
        except ManifestError as error:
            raise BrokenGeneration(name, f"on the server, {error}") from error
        except OSError as error:
            raise DataDirUnusable(directory, error.strerror or str(error)) from error

    def fetch_manifest(self, name: str, directory: Path) -> None:
        """Fetch the manifest alone; ManifestError when there is none."""
        found = self._get(name, [_MANIFEST])
        (directory / FILE_NAME).write_bytes(_unpacked(found, _MANIFEST, _WHOLE))

    def has_manifest(self, name: str) -> bool:
        """Whether all was sent."""
        return bool(self._get(name, [_MANIFEST], include=[]))

    def lacking(self, name: str, manifest: Manifest) -> str | None:
        """A part that the server should have and has not."""
        for path, file in manifest.files.items():
            for group in _grouped(_parts(path, file.size), 500):
                found = self._get(name, group, include=[])
                missing = [part for part in group if part not in found]
                if missing:
                    return missing[0]
        return None

    def _put(self, name: str, contents: Mapping[str, bytes]) -> None:
        packed = [{"bytes": _packed(content)} for content in contents.values()]
        ids, nowhere = list(contents), [[0.0]] * len(contents)

        def put(client: Any) -> None:
            collection = client.get_or_create_collection(files_of(name), embedding_function=None)
            collection.upsert(ids=ids, embeddings=nowhere, metadatas=packed)

        self._server.call(put)

    def _fetch_file(self, name: str, path: Path, parts: Sequence[str]) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as file:
            for group in _grouped(parts):
                found = self._get(name, group)
                for part in group:
                    file.write(_unpacked(found, part, _PART))

    def _get(
        self, name: str, parts: Sequence[str], include: Sequence[str] = ("metadatas",)
    ) -> Mapping[str, Any]:
        """The records that are there, by part; without `include` only which are."""
        ids, wanted = list(parts), list(include)
        try:
            found = self._server.on(
                files_of(name),
                lambda c: c.get(ids=ids, include=wanted),
            )
        except Missing:
            return {}
        return dict(zip(found["ids"], found["metadatas"] or found["ids"], strict=True))


def _parts(path: str, size: int) -> list[str]:
    return [f"{path}#{number}" for number in range(-(-size // _PART))]


def _grouped(parts: Sequence[str], most: int = _AT_ONCE) -> Iterator[Sequence[str]]:
    for start in range(0, len(parts), most):
        yield parts[start : start + most]


def _packed(content: bytes) -> str:
    return base64.b64encode(zlib.compress(content, 1)).decode("ascii")


def _unpacked(found: Mapping[str, Any], part: str, most: int) -> bytes:
    """The bytes of a part, `most` at most, whatever the server says."""
    if part not in found:
        raise ManifestError(f"{part} is not there")
    try:
        return zlib.decompressobj().decompress(base64.b64decode(found[part]["bytes"]), most)
    except (ValueError, TypeError, KeyError, zlib.error) as error:
        raise ManifestError(f"{part} cannot be read: {error}") from error


def _inside(directory: Path, path: str) -> Path:
    """Where a file goes; a server does not say where outside of its directory."""
    told = PurePosixPath(path)
    if told.is_absolute() or ".." in told.parts or not told.parts:
        raise ManifestError(f"{path!r} is no file of a generation")
    return directory / told
