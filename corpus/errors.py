"""What can go wrong with one file.

UnreadableFile
"""


class UnreadableFile(Exception):
    """One file (or the folder) that cannot be read: `path`, and `reason` in a few words."""

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{path}: {reason}" if path else reason)
        self.path = path
        self.reason = reason
