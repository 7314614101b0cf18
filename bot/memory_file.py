"""The file of the memory and the key of its hashes: made, opened, set aside when damaged."""

import logging
import os
import secrets
import sqlite3
from pathlib import Path

from bot.errors import BrokenMemory
from bot.gaps import SCHEMA as GAPS

FILE = "discord.sqlite"
SCHEMA = """
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
CREATE TABLE IF NOT EXISTS asked (
    answer TEXT PRIMARY KEY REFERENCES answers ON DELETE CASCADE, guild INTEGER,
    private INTEGER NOT NULL, weak INTEGER NOT NULL);
CREATE TABLE IF NOT EXISTS digests (channel INTEGER NOT NULL, week TEXT NOT NULL, at REAL NOT NULL,
    PRIMARY KEY (channel, week));
"""

_log = logging.getLogger(__name__)


def opened(path: Path, *, mend: bool) -> sqlite3.Connection:
    """Open the file; a damaged one is set aside with `mend`, else it is a BrokenMemory."""
    try:
        return _open(path, check=mend)
    except sqlite3.DatabaseError as error:
        if isinstance(error, sqlite3.OperationalError):  # locked, full: not damage
            raise
        if not mend:
            raise BrokenMemory(path, str(error)) from error
        _set_aside(path, error)
        return _open(path, check=False)


def load_key(path: Path) -> bytes:
    """The key of the hashes, made once; 0600 from its first moment."""
    try:
        made = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError:
        return path.read_bytes()
    with os.fdopen(made, "wb") as file:
        key = secrets.token_bytes(32)
        file.write(key)
    return key


def _open(path: Path, *, check: bool) -> sqlite3.Connection:
    """`check` reads every page; sqlite3.DatabaseError when one is damaged."""
    database = sqlite3.connect(path, check_same_thread=False, isolation_level=None, timeout=10)
    try:
        path.chmod(0o600)
        database.execute("PRAGMA journal_mode = WAL")
        database.execute("PRAGMA synchronous = NORMAL")
        database.execute("PRAGMA foreign_keys = ON")
        database.execute("PRAGMA secure_delete = ON")
        database.executescript(SCHEMA + GAPS)
        if check and (verdict := database.execute("PRAGMA quick_check(1)").fetchone()[0]) != "ok":
            raise sqlite3.DatabaseError(verdict)
    except BaseException:
        database.close()
        raise
    return database


def _set_aside(path: Path, error: Exception) -> None:
    """One damaged file is kept to look at."""
    aside = path.with_name(f"{path.name}.damaged")
    _log.error("%s is damaged (%s): set aside as %s, a new one is begun.", path, error, aside.name)
    path.replace(aside)
    for suffix in ("-wal", "-shm"):
        path.with_name(path.name + suffix).unlink(missing_ok=True)
