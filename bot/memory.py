"""What the bot remembers, in one SQLite file: answers, preferences, feedback, who is served.

What was asked in vain is in `bot.gaps`, judged answers in `bot.judged`: tables of the same file.
People are stored only as keyed hashes; the key lies beside the file and is readable to its owner
alone. All methods are called from one thread (`bot.desk`).
"""

import hashlib
import hmac
import secrets
import sqlite3
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, cast

from bot.errors import BrokenMemory
from bot.gaps import Gaps
from bot.judged import Judged
from bot.memory_file import FILE, load_key, opened
from bot.shown import Shown
from rag.errors import DataDirUnusable
from rag.result import Variant

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
    """`mend` sets a damaged file aside and begins a new one, else it is a BrokenMemory."""

    def __init__(self, data_dir: Path, retention_days: float, *, mend: bool = True) -> None:
        self._retention = retention_days * _DAY
        self._path = data_dir / FILE
        try:
            data_dir.mkdir(parents=True, exist_ok=True)
            self._key = load_key(data_dir / "people.key")
            self._database = opened(self._path, mend=mend)
        except (OSError, sqlite3.Error) as error:
            raise DataDirUnusable(data_dir, str(error)) from error
        self.gaps, self.judged = Gaps(self._do), Judged(self._do)

    def person(self, user_id: int) -> str:
        """The hash under which a person is stored; without the key it leads nowhere."""
        return hmac.new(self._key, str(user_id).encode(), hashlib.sha256).hexdigest()[:32]

    # answers

    def keep(self, shown: Shown, person: str, channel: int | None, guild: int | None = None) -> str:
        """Store an answer; its id is short and cannot be guessed."""
        ident = _new_id()
        values = (ident, time.time(), person, channel, _status(shown), shown.to_json())
        self._do("INSERT INTO answers VALUES (?, ?, ?, ?, ?, ?)", values)
        asked = (ident, guild, shown.private, shown.weak)
        self._do("INSERT INTO asked VALUES (?, ?, ?, ?)", asked)
        return ident

    def change(self, ident: str, shown: Shown) -> None:
        values = (shown.to_json(), _status(shown), ident)
        self._do("UPDATE answers SET shown = ?, status = ? WHERE id = ?", values)
        self._do("UPDATE asked SET weak = ? WHERE answer = ?", (shown.weak, ident))

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
        self.gaps.tidy()
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

    def counts(self, guild: int | None = None, since: float = 0.0) -> Counts:
        """All that is kept; or only what one server asked and said since a time."""
        of = "LEFT JOIN asked k USING (answer) WHERE (? IS NULL OR k.guild = ?) AND at >= ?"
        values = (guild, guild, since)
        asked = f"SELECT status, count(*) FROM (SELECT id AS answer, * FROM answers) {of}"
        status = dict(self._do(f"{asked} GROUP BY status", values))
        judged = f"SELECT helpful, count(*) FROM feedback {of} GROUP BY helpful"
        told = dict(self._do(judged, values))
        return Counts(
            status.get("answered", 0), status.get("refused", 0), told.get(1, 0), told.get(0, 0)
        )

    def expire(self, person: str | None = None) -> int:
        """Remove what is older than the retention, or a person's only; how many answers."""
        limit = time.time() - self._retention
        if person is None:
            self._do("DELETE FROM feedback WHERE at < ?", (limit,))
            self._do("DELETE FROM digests WHERE at < ?", (limit,))
        whose = "AND (? IS NULL OR person = ?) RETURNING 1"
        values = (limit, person, person)
        removed = len(self._do(f"DELETE FROM answers WHERE at < ? {whose}", values))
        self.gaps.tidy()
        return removed

    def claim_digest(self, channel: int, week: str) -> bool:
        """Whether the digest of a week is still to be posted; it is claimed with that."""
        query = "INSERT OR IGNORE INTO digests VALUES (?, ?, ?) RETURNING 1"
        return bool(self._do(query, (channel, week, time.time())))

    def release_digest(self, channel: int, week: str) -> None:
        """The digest could not be posted: it is due again."""
        self._do("DELETE FROM digests WHERE channel = ? AND week = ?", (channel, week))

    def close(self) -> None:
        self._database.close()

    def _do(self, query: str, values: Sequence[Any] | Mapping[str, Any] = ()) -> list[Any]:
        try:
            return self._database.execute(query, values).fetchall()
        except sqlite3.DatabaseError as error:
            if "malformed" in str(error) or "not a database" in str(error):
                raise BrokenMemory(self._path, str(error)) from error
            raise


def _new_id() -> str:
    """Such as a command line takes: no dash at its beginning."""
    ident = secrets.token_urlsafe(9)
    return _new_id() if ident.startswith("-") else ident


def _status(shown: Shown) -> str:
    return shown.status if shown.kind == "answer" else shown.kind
