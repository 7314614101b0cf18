"""Everything that can go wrong, each with the exit code the command line answers with.

YoujuError
├── UsageError            2  the question or a flag is unusable
│   ├── BadBackup
│   ├── DataDirInUse
│   ├── NothingToBackUp
│   ├── EmptyQuestion
│   ├── QuestionTooLong
│   ├── DuplicateGolden
│   ├── QuoteNotFound
│   └── NoQuote
├── ConfigurationError    3  a setting names something that is not there or not usable
│   ├── BadSetting
│   ├── UnknownModel
│   ├── BrokenModel
│   ├── DataDirUnusable
│   │   └── DiskFull
│   ├── BadTermsFile
│   └── NoPlaceForGolden
├── NoIndex               4  nothing to answer from
│   ├── BrokenGeneration
│   └── NothingToRollBack
├── CorpusError           5  the articles' folder
│   ├── CorpusMissing
│   ├── CorpusEmpty
│   ├── AllArticlesFailed
│   └── CanaryFell
└── DependencyUnreachable 6  a server or another process
    ├── LanguageModelFailed
    ├── VectorsUnreachable
    │   ├── ChromaUnreachable
    │   ├── ChromaRefused
    │   ├── ChromaMismatch
    │   └── VectorsGone
    ├── BuilderBusy
    └── BuilderFailed
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from rag.result import Worse


class YoujuError(Exception):
    """Base of all our errors; the message is one sentence that says what to do."""

    exit_code = 1


class UsageError(YoujuError):
    exit_code = 2


class BadBackup(UsageError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The backup {path} cannot be used ({why}); nothing was changed.")
        self.path, self.why = path, why


class DataDirInUse(UsageError):
    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The data directory {path} is not empty: add --force to replace what the backup has."
        )
        self.path = path


class NothingToBackUp(UsageError):
    def __init__(self, path: Path) -> None:
        super().__init__(f"There is nothing to back up in {path}: set YOUJU_DATA_DIR.")
        self.path = path


class EmptyQuestion(UsageError):
    def __init__(self) -> None:
        super().__init__("The question has no words in it: write what you want to know.")


class QuestionTooLong(UsageError):
    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"The question has {length:,} characters and the limit is {limit:,}: ask it shorter."
        )
        self.length, self.limit = length, limit


class DuplicateGolden(UsageError):
    def __init__(self, question: str, path: Path, ident: str) -> None:
        super().__init__(
            f"The question {question!r} is a golden question already ({ident} in {path}): "
            "change it there."
        )
        self.question, self.path, self.ident = question, path, ident


class QuoteNotFound(UsageError):
    def __init__(self, quote: str) -> None:
        super().__init__(
            f"No passage of the articles holds the quote {quote!r}: copy it from one passage, "
            "word for word (`youju search` shows them)."
        )
        self.quote = quote


class NoQuote(UsageError):
    def __init__(self) -> None:
        super().__init__(
            "This answer cannot say what is right: give the sentence that answers (--quote), or "
            "say that the articles do not answer it (--none)."
        )


class ConfigurationError(YoujuError):
    exit_code = 3


class BadSetting(ConfigurationError):
    def __init__(self, name: str, value: object, why: str) -> None:
        super().__init__(f"The setting {name}={value!r} is not usable ({why}): correct it.")
        self.name, self.value, self.why = name, value, why


class UnknownModel(ConfigurationError):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(
            f"The model {name!r} could not be loaded ({why}): set YOUJU_EMBED_MODEL to a "
            "sentence-transformers name or folder, or unset it for the default."
        )
        self.name, self.why = name, why


class BrokenModel(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The model folder {path} is damaged ({why}): reinstall youju.")
        self.path, self.why = path, why


class DataDirUnusable(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The data directory {path} cannot be used ({why}): "
            "make it writable, or point YOUJU_DATA_DIR elsewhere."
        )
        self.path, self.why = path, why


class DiskFull(DataDirUnusable):
    def __init__(self, path: Path) -> None:
        YoujuError.__init__(
            self,
            f"The disk that holds {path} is full: free some space, then do this again; "
            "the index is as it was.",
        )
        self.path, self.why = path, "the disk is full"


class BadTermsFile(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The terms file {path} cannot be used ({why}): mend or remove it.")
        self.path, self.why = path, why


class NoPlaceForGolden(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(
            f"The golden question cannot be written to {path} ({why}): make it writable, or set "
            "YOUJU_CORPUS_DIR to a folder of your own articles."
        )
        self.path, self.why = path, why


class NoIndex(YoujuError):
    exit_code = 4

    def __init__(self, message: str = "There is no index yet: run `youju reindex`.") -> None:
        super().__init__(message)


class BrokenGeneration(NoIndex):
    def __init__(self, name: str, why: str) -> None:
        super().__init__(f"The generation {name} is unusable ({why}): run `youju reindex`.")
        self.name, self.why = name, why


class NothingToRollBack(NoIndex):
    def __init__(self) -> None:
        super().__init__("There is no earlier generation to roll back to.")


class CorpusError(YoujuError):
    exit_code = 5


class CorpusMissing(CorpusError):
    def __init__(self, path: Path, why: str = "no such folder") -> None:
        super().__init__(
            f"The articles' folder {path} cannot be read ({why}): set YOUJU_CORPUS_DIR."
        )
        self.path, self.why = path, why


class CorpusEmpty(CorpusError):
    def __init__(self, path: Path) -> None:
        super().__init__(
            f"The articles' folder {path} holds no article: put some there, or correct "
            "YOUJU_CORPUS_DIR. The index is as it was."
        )
        self.path = path


class AllArticlesFailed(CorpusError):
    def __init__(self, path: Path, failed: int, first: str) -> None:
        super().__init__(
            f"None of the {failed} files in {path} could be read (first: {first}); "
            "the index was left as it was."
        )
        self.path, self.failed, self.first = path, failed, first


class CanaryFell(CorpusError):
    def __init__(self, fall: int, asked: int, worse: "Sequence[Worse]") -> None:
        super().__init__(
            f"Of {asked} golden questions, {fall} fewer come out right with the new index, so the "
            "index was left as it was: mend the articles or golden.jsonl, "
            "or switch all the same with `youju reindex --force`."
        )
        self.fall, self.asked, self.worse = fall, asked, tuple(worse)


class DependencyUnreachable(YoujuError):
    exit_code = 6


class LanguageModelFailed(DependencyUnreachable):
    """A language model gave nothing usable; `reason` is a word of docs/LLM.md's table.

    Nothing of the server's own message is in here: servers repeat keys in their errors.
    """

    def __init__(self, reason: str, retry_after: float | None = None) -> None:
        super().__init__(f"The language model gave no answer ({reason}): see docs/LLM.md.")
        self.reason, self.retry_after = reason, retry_after


class VectorsUnreachable(DependencyUnreachable):
    """The vectors of a generation cannot be asked just now; its words can."""


class ChromaUnreachable(VectorsUnreachable):
    def __init__(self, url: str, why: str) -> None:
        super().__init__(
            f"The Chroma server at {url} cannot be reached ({why}): start it, or correct "
            "YOUJU_CHROMA_URL."
        )
        self.url, self.why = url, why


class ChromaRefused(VectorsUnreachable):
    def __init__(self, url: str, status: int) -> None:
        super().__init__(
            f"The Chroma server at {url} does not let us in (status {status}): correct "
            "YOUJU_CHROMA_TOKEN and YOUJU_CHROMA_TOKEN_HEADER."
        )
        self.url, self.status = url, status


class ChromaMismatch(VectorsUnreachable):
    def __init__(self, url: str, found: str) -> None:
        super().__init__(
            f"What answers at {url} is no Chroma server that we can talk to ({found}): run the "
            "release of Chroma that constraints.txt names, or correct YOUJU_CHROMA_URL."
        )
        self.url, self.found = url, found


class VectorsGone(VectorsUnreachable):
    def __init__(self, name: str) -> None:
        super().__init__(
            f"The Chroma server does not have the collection {name} any more: run `youju reindex`."
        )
        self.name = name


class BuilderBusy(DependencyUnreachable):
    def __init__(self, holder: str) -> None:
        super().__init__(f"Another reindex is running ({holder}): wait for it to end.")
        self.holder = holder


class BuilderFailed(DependencyUnreachable):
    def __init__(self, why: str) -> None:
        super().__init__(f"The reindex did not finish ({why}); the index was left as it was.")
        self.why = why
