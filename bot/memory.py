"""What the bot remembers, in one SQLite file: answers, preferences, feedback, who is served.

People are stored only as keyed hashes; the key lies beside the file and is readable to its owner
alone. All methods are called from one thread (`bot.desk`).
"""

import hashlib
import hmac
import os
import secrets
import sqlite3
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from bot.shown import Shown
from rag.errors import DataDirUnusable
from rag.result import Variant

_SCHEMA = """
CREATE TABLE IF NOT EXISTS answers (
    id TEXT PRIMARY KEY, at REAL NOT NULL, person TEXT NOT NULL, channel INTEGER, status TEXT,
    shown TEXT NOT NULL);
CREATE INDEX IF NOT EXISTS answers_by_person ON answers (person, at);
CREATE TABLE IF NOT EXISTS messages (
    message INTEGER PRIMARY KEY, answer TEXT NOT NULL REFERENCES answers ON DELETE CASCADE,
    channel INTEGER NOT NULL, place INTEGER NOT NULL);
CREATE INDEX IF NOT EXISTS messages_by_answer ON messages (answer);
CREATE TABLE IF NOT EXISTS threads (
    thread INTEGER PRIMARY KEY, at REAL NOT NULL, hinted INTEGER NOT NULL DEFAULT 0,
    answer TEXT NOT NULL REFERENCES answers ON DELETE CASCADE);
CREATE TABLE IF NOT EXISTS people (person TEXT PRIMARY KEY, variant TEXT);
CREATE TABLE IF NOT EXISTS feedback (
    answer TEXT NOT NULL REFERENCES answers ON DELETE CASCADE, person TEXT NOT NULL,
    at REAL NOT NULL, helpful INTEGER NOT NULL, reason TEXT, PRIMARY KEY (answer, person));
CREATE TABLE IF NOT EXISTS access (
    guild INTEGER NOT NULL, kind TEXT NOT NULL, target INTEGER NOT NULL, rule TEXT NOT NULL,
    PRIMARY KEY (guild, kind, target));
"""
_DAY = 24 * 3600.0

TargetKind = Literal["channel", "role"]
Rule = Literal["allow", "deny"]


@dataclass(frozen=True, slots=True)
class Kept:
    """An answer out of the memory: what it showed and who asked, as a hash."""

    id: str
    shown: Shown
    person: str


@dataclass(frozen=True, slots=True)
class AccessRow:
    guild: int
    kind: TargetKind
    target: int
    rule: Rule


@dataclass(frozen=True, slots=True)
class Counts:
    """What was asked and said within the retention."""

    answered: int
    refused: int
    helpful: int
    unhelpful: int


class Memory:
    def __init__(self, data_dir: Path, retention_days: float) -> None:
        self._retention = retention_days * _DAY
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._key = _load_key(data_dir / "people.key")
            path = data_dir / "discord.sqlite"
            self._database = sqlite3.connect(path, check_same_thread=False, isolation_level=None)
            path.chmod(0o600)
            self._database.execute("PRAGMA journal_mode = WAL")
            self._database.execute("PRAGMA synchronous = NORMAL")
            self._database.execute("PRAGMA foreign_keys = ON")
            self._database.execute("PRAGMA secure_delete = ON")
            self._database.executescript(_SCHEMA)
        except (OSError, sqlite3.Error) as error:
            raise DataDirUnusable(data_dir, str(error)) from error

    def person(self, user_id: int) -> str:
        """The hash under which a person is stored; without the key it leads nowhere."""
        return hmac.new(self._key, str(user_id).encode(), hashlib.sha256).hexdigest()[:32]

    # answers

    def keep(self, shown: Shown, person: str, channel: int | None) -> str:
        """Store an answer; its id is short and cannot be guessed."""
        ident = secrets.token_urlsafe(9)
        values = (ident, time.time(), person, channel, _status(shown), shown.to_json())
        self._do("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)
        return ident

    def change(self, ident: str, shown: Shown) -> None:
        values = (shown.to_json(), _status(shown), ident)
        self._do("UPDATE answers SET shown = ?, status = ? WHERE id = ?", values)

    def posted(self, ident: str, messages: Iterable[tuple[int, int]]) -> None:
        """The messages, as (channel, message), that show an answer now."""
        self._do("DELETE FROM messages WHERE answer = ?", (ident,))
        for place, (channel, message) in enumerate(messages):
            self._do(
                "INSERT OR REPLACE INTO messages VALUES (?, ?, ?, ?)",
                (message, ident, channel, place),
            )

    def answer(self, ident: str) -> Kept | None:
        rows = self._do("SELECT shown, person FROM answers WHERE id = ?", (ident,))
        return Kept(ident, Shown.from_json(rows[0][0]), rows[0][1]) if rows else None

    def answer_in(self, message: int) -> Kept | None:
        """The answer that a message shows."""
        rows = self._do("SELECT answer FROM messages WHERE message = ?", (message,))
        return self.answer(rows[0][0]) if rows else None

    def messages_of(self, ident: str) -> list[tuple[int, int]]:
        """(channel, message) of an answer's parts, in order."""
        query = "SELECT channel, message FROM messages WHERE answer = ? ORDER BY place"
        return self._do(query, (ident,))

    def last_answer(self, person: str) -> Kept | None:
        """What this person asked last."""
        query = "SELECT id FROM answers WHERE person = ? ORDER BY at DESC, rowid DESC LIMIT 1"
        rows = self._do(query, (person,))
        return self.answer(rows[0][0]) if rows else None

    # threads

    def open_thread(self, thread: int, ident: str) -> None:
        self._do(
            "INSERT OR IGNORE INTO threads (thread, at, answer) VALUES (?, ?, ?)",
            (thread, time.time(), ident),
        )

    def go_on_in_thread(self, thread: int, ident: str) -> None:
        """A later answer in a thread, if it is one that the bot opened."""
        self._do("UPDATE threads SET answer = ? WHERE thread = ?", (ident, thread))

    def in_thread(self, thread: int) -> Kept | None:
        """The latest answer of a thread that the bot opened."""
        rows = self._do("SELECT answer FROM threads WHERE thread = ?", (thread,))
        return self.answer(rows[0][0]) if rows else None

    def hint_thread(self, thread: int) -> bool:
        """Whether the hint of this thread is due; it is given once."""
        query = "UPDATE threads SET hinted = 1 WHERE thread = ? AND hinted = 0 RETURNING thread"
        return bool(self._do(query, (thread,)))

    # people

    def variant_of(self, person: str) -> Variant | None:
        rows = self._do("SELECT variant FROM people WHERE person = ?", (person,))
        return cast(Variant, rows[0][0]) if rows else None

    def prefer(self, person: str, variant: Variant | None) -> None:
        if variant is None:
            self._do("DELETE FROM people WHERE person = ?", (person,))
        else:
            self._do("INSERT OR REPLACE INTO people VALUES (?, ?)", (person, variant))

    def judge(self, ident: str, person: str, helpful: bool, reason: str | None) -> None:
        """One person's judgement of an answer; a later one takes its place."""
        self._do(
            "INSERT OR REPLACE INTO feedback VALUES (?, ?, ?, ?, ?)",
            (ident, person, time.time(), helpful, reason),
        )

    def forget(self, person: str) -> int:
        """Erase all that is stored about a person; how many rows that was."""
        erased = 0
        for table in ("feedback", "people", "answers"):
            erased += len(self._do(f"DELETE FROM {table} WHERE person = ? RETURNING 1", (person,)))
        self._database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        return erased

    # moderation

    def access(self) -> list[AccessRow]:
        return [AccessRow(*row) for row in self._do("SELECT * FROM access")]

    def set_access(self, row: AccessRow) -> None:
        values = (row.guild, row.kind, row.target, row.rule)
        self._do("INSERT OR REPLACE INTO access VALUES (?, ?, ?, ?)", values)

    def clear_access(self, guild: int, kind: TargetKind, target: int) -> None:
        query = "DELETE FROM access WHERE guild = ? AND kind = ? AND target = ?"
        self._do(query, (guild, kind, target))

    def counts(self) -> Counts:
        status = dict(self._do("SELECT status, count(*) FROM answers GROUP BY status"))
        told = dict(self._do("SELECT helpful, count(*) FROM feedback GROUP BY helpful"))
        return Counts(
            status.get("answered", 0), status.get("refused", 0), told.get(1, 0), told.get(0, 0)
        )

    def expire(self) -> int:
        """Remove what is older than the retention; how many answers that was."""
        limit = (time.time() - self._retention,)
        self._do("DELETE FROM feedback WHERE at < ?", limit)
        return len(self._do("DELETE FROM answers WHERE at < ? RETURNING 1", limit))

    def close(self) -> None:
        self._database.close()

    def _do(self, query: str, values: Sequence[Any] = ()) -> list[Any]:
        return self._database.execute(query, values).fetchall()


def _status(shown: Shown) -> str:
    return shown.status if shown.kind == "answer" else shown.kind


def _load_key(path: Path) -> bytes:
    """The key of the hashes, made once; 0600 from its first moment."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(made, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key
