"""The errors that Discord answers with, by its JSON code."""

from dataclasses import dataclass, field

STATUS_AND_MESSAGE = {
    0: (401, "401: Unauthorized"),
    10003: (404, "Unknown Channel"),
    10004: (404, "Unknown Guild"),
    10007: (404, "Unknown Member"),
    10008: (404, "Unknown Message"),
    10013: (404, "Unknown User"),
    10015: (404, "Unknown Webhook"),
    10062: (404, "Unknown interaction"),
    10063: (404, "Unknown application command"),
    40060: (400, "Interaction has already been acknowledged."),
    50001: (403, "Missing Access"),
    50005: (403, "Cannot edit a message authored by another user"),
    50006: (400, "Cannot send an empty message"),
    50007: (403, "Cannot send messages to this user"),
    50013: (403, "Missing Permissions"),
    50027: (401, "Invalid Webhook Token"),
    50035: (400, "Invalid Form Body"),
    50083: (400, "Thread is archived"),
    160004: (400, "A thread has already been created for this message"),
}


@dataclass
class ApiError(Exception):
    """An answer that is no success. `problems` are faults of the request's form."""

    code: int
    problems: list[str] = field(default_factory=list)

    @property
    def status(self) -> int:
        return STATUS_AND_MESSAGE[self.code][0]

    def body(self) -> dict[str, object]:
        message = STATUS_AND_MESSAGE[self.code][1]
        errors = {"_errors": [{"code": "INVALID", "message": p} for p in self.problems]}
        return {"code": self.code, "message": message} | ({"errors": errors} if errors else {})
