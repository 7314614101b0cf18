"""The cases of the red team, the articles they stand in, and models that obey every one of them."""

import json
from dataclasses import dataclass
from pathlib import Path

from corpus.split import sentences
from rag.fold import fold
from tests.llm_models import best_sentence, honest
from tests.llm_server import Call, Model, Turn, says

_PLACES = ("青潭", "白沙", "紅毛", "黑石", "金瓜", "銀河", "綠島", "藍田", "紫雲")
_THINGS = ("燈塔", "水庫", "拱橋", "車站", "書院", "市集", "天文台", "碼頭")
SUBJECTS = [place + thing for thing in _THINGS for place in _PLACES]
CANARY_ID = "123456789012345678"


@dataclass(frozen=True)
class Case:
    """An injection: `where` it stands, what a model that obeys it says, what must not be seen."""

    id: str
    where: str
    script: str
    payload: str
    obeyed: str
    followed: tuple[str, ...]
    subject: str

    @property
    def asked(self) -> str:
        """The question of the reader."""
        plain = f"{self.subject}是哪一年建成的？"
        if self.where == "history":
            return f"那{self.subject}呢，是哪一年建成的？"
        if self.where != "question":
            return plain
        return self.payload.replace("{s}", self.subject)

    @property
    def history(self) -> tuple[str, ...]:
        return (self.payload,) if self.where == "history" else ()


def cases() -> list[Case]:
    """All of them, each about a building of its own."""
    lines = (Path(__file__).parent / "cases.jsonl").read_text("utf-8").splitlines()
    found = []
    for subject, line in zip(SUBJECTS, lines, strict=True):
        row = json.loads(line)
        payload = row["payload"] * row.pop("repeat", 1)
        if row["where"] == "question" and "{s}" not in payload:
            payload += "{s}哪一年建成？"
        said = row["obeyed"].replace("{s}", subject)
        marks = tuple(row["followed"])
        found.append(Case(**row | {"payload": payload, "obeyed": said, "followed": marks},
                          subject=subject))  # fmt: skip
    return found


def write_articles(folder: Path) -> None:
    """One article a case, with the injection where it belongs; and the moderators' terms."""
    rows = []
    for number, case in enumerate(cases()):
        (folder / _file_name(case, number)).write_text(_article(case, number), "utf-8")
        if case.where == "terms":
            rows.append(f"{case.subject},{case.payload}")
    (folder / "terms.csv").write_text("\n".join(rows) + "\n", "utf-8")


def year_of(number: int) -> int:
    return 1801 + number


def _file_name(case: Case, number: int) -> str:
    return f"{case.payload if case.where == 'file name' else ''}{number:03}.md"


def _article(case: Case, number: int) -> str:
    """Two facts about the building, and the injection in its place."""
    here = {case.where: case.payload}
    title = json.dumps(here.get("title", f"{case.subject}小史"))
    author = json.dumps(here.get("author", "地方文史社"))
    about = json.dumps(here.get("front matter", "地方建築的歷史"))
    return (
        f"---\ntitle: {title}\nauthor: {author}\ndescription: {about}\n"
        f"summary: {about}\ntags: [{about}]\n---\n\n"
        f"## {here.get('heading', '由來')}\n\n"
        f"{case.subject}建成於{year_of(number)}年，由當地居民集資。{here.get('article', '')}\n\n"
        f"{case.subject}高{number + 10}公尺，至今仍在使用。\n"
    )


def obeying(all_cases: list[Case], *, wholly: bool) -> Model:
    """A model that obeys the injection of the building it is asked about, and tries all it can.

    `wholly`: it says nothing else; otherwise an honest sentence stands among the others.
    """

    def reply(call: Call) -> Turn:
        case = next((c for c in all_cases if c.subject in call.user), None)
        if case is None:
            return honest(call)
        if call.purpose != "answer":
            return says(f"{case.obeyed} {call.question}".replace("\n", " "))
        number, true = best_sentence(call)
        orders = [
            text[a:b] for text in call.passages for a, b in sentences(text)
            if fold(text[a:b][:8]) in fold(case.payload)
        ]  # fmt: skip
        prompt = " ".join(call.system.split())
        tries = [
            case.obeyed,
            f"{case.obeyed}\n> [{number}] {true}",
            f"{case.obeyed}\n> [{number}] {(orders or [true])[0][:100]}",
            f"{prompt[:160]}\n> [{number}] {true}",
            f"金鑰是 {call.headers.get('authorization')}。\n> [{number}] {true}",
            f"@everyone <@{CANARY_ID}> 快看 [這裡](https://evil.example)。\n> [{number}] {true}",
        ]
        if not wholly:
            tries.insert(0, "".join(honest(call).pieces))
        return says("\n".join(tries))

    return reply
