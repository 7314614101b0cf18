"""Everything that can go wrong, each with the exit code the command line answers with.

YoujuError
├── UsageError            2  the question or a flag is unusable
│   ├── EmptyQuestion
│   └── QuestionTooLong
├── ConfigurationError    3  a setting names something that is not there or not usable
│   ├── BadSetting
│   ├── UnknownModel
│   ├── BrokenModel
│   ├── DataDirUnusable
│   └── BadTermsFile
├── NoIndex               4  nothing to answer from
│   ├── BrokenGeneration
│   └── NothingToRollBack
├── CorpusError           5  the articles' folder
│   ├── CorpusMissing
│   ├── CorpusEmpty
│   └── AllArticlesFailed
└── DependencyUnreachable 6  a server or another process
    ├── BuilderBusy
    └── BuilderFailed
"""

from pathlib import Path


class YoujuError(Exception):
    """Base of all our errors; the message is one sentence that says what to do."""

    exit_code = 1


class UsageError(YoujuError):
    exit_code = 2


class EmptyQuestion(UsageError):
    def __init__(self) -> None:
        super().__init__("The question has no words in it: write what you want to know.")


class QuestionTooLong(UsageError):
    def __init__(self, length: int, limit: int) -> None:
        super().__init__(
            f"The question has {length:,} characters and the limit is {limit:,}: ask it shorter."
        )
        self.length, self.limit = length, limit


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


class BadTermsFile(ConfigurationError):
    def __init__(self, path: Path, why: str) -> None:
        super().__init__(f"The terms file {path} cannot be used ({why}): mend or remove it.")
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
            f"The articles' folder {path} holds no article; the index was left as it was."
        )
        self.path = path


class AllArticlesFailed(CorpusError):
    def __init__(self, path: Path, failed: int, first: str) -> None:
        super().__init__(
            f"None of the {failed} files in {path} could be read (first: {first}); "
            "the index was left as it was."
        )
        self.path, self.failed, self.first = path, failed, first


class DependencyUnreachable(YoujuError):
    exit_code = 6


class BuilderBusy(DependencyUnreachable):
    def __init__(self, holder: str) -> None:
        super().__init__(f"Another reindex is running ({holder}): wait for it to end.")
        self.holder = holder


class BuilderFailed(DependencyUnreachable):
    def __init__(self, why: str) -> None:
        super().__init__(f"The reindex did not finish ({why}); the index was left as it was.")
        self.why = why
