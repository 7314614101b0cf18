"""A message as Discord would show it: the JSON that the bot sent becomes a page and a picture.

    python -m bot.picture message.json answer.png

Needs no Discord. It knows what this bot sends: text, embeds, and of Components V2 containers,
sections, text, separators, buttons and selects; it does not know pictures, files and polls.
"""

import argparse
import html
import json
import re
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Json = dict[str, Any]

WIDTH = 680  # CSS pixels of the picture; drawn at twice the density.
FLAGS = [
    "--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
    "--disable-background-networking", "--disable-component-update", "--disable-sync",
    "--hide-scrollbars", "--force-device-scale-factor=2",
]  # fmt: skip
# What the client itself says, by its language: the time, the note under an ephemeral message.
CLIENT_WORDS = {
    "zh-Hant": ("今天 12:00", "只有您能看到此訊息"),
    "zh-Hans": ("今天 12:00", "只有您能看到此消息"),
    "en": ("Today at 12:00", "Only you can see this"),
}


class NoChromium(RuntimeError):
    def __init__(self) -> None:
        super().__init__("`chromium` is not on PATH: install it (Debian: apt install chromium).")


@dataclass(frozen=True, slots=True)
class Frame:
    """What stands around the message. `asked` is the line above it: who used which command."""

    name: str = "Youju 有據"
    asked: str = ""
    lang: str = "zh-Hant"


def page(message: Json, frame: Frame = Frame()) -> str:
    """A self-contained HTML page in Discord's dark look."""
    asked = f'<div class="asked">{inline(frame.asked)}</div>' if frame.asked else ""
    ephemeral = (message.get("flags") or 0) & 64
    time, only_you = CLIENT_WORDS[frame.lang]
    note = f'<div class="only-you">👁 {only_you}</div>' if ephemeral else ""
    return PAGE.format(
        lang=frame.lang,
        css=CSS.replace("@@", "SC" if frame.lang == "zh-Hans" else "TC"),
        asked=asked,
        initial=html.escape(frame.name.strip()[-1:]),
        name=html.escape(frame.name),
        time=time,
        body=_message(message) + note,
    )


def png(page_html: str, to: Path) -> None:
    """Draw the page. Raises NoChromium, or CalledProcessError when chromium fails."""
    chromium = shutil.which("chromium")
    if chromium is None:
        raise NoChromium
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder, "message.html")
        source.write_text(page_html, "utf-8")
        common = [chromium, *FLAGS, f"--user-data-dir={folder}/profile"]
        # The height is not known before the text is set: measure first, then draw.
        dom = _run([*common, f"--window-size={WIDTH},400", "--dump-dom", source.as_uri()])
        height = re.search(r'data-height="(\d+)"', dom)
        size = f"{WIDTH},{height[1] if height else 800}"
        _run([*common, f"--window-size={size}", f"--screenshot={to.resolve()}", source.as_uri()])


def _run(command: list[str]) -> str:
    done = subprocess.run(command, check=True, capture_output=True, timeout=120)
    return done.stdout.decode("utf-8", "replace")


# The message.


def _message(message: Json) -> str:
    parts = [f'<div class="content">{markdown(message.get("content") or "")}</div>']
    parts += [_embed(embed) for embed in message.get("embeds") or ()]
    parts += [_component(component) for component in message.get("components") or ()]
    return "".join(parts)


def _component(component: Json) -> str:
    draw = COMPONENTS.get(component["type"])
    return draw(component) if draw else f'<div class="unknown">[{component["type"]}]</div>'


def _children(component: Json) -> str:
    return "".join(_component(child) for child in component.get("components") or ())


def _container(container: Json) -> str:
    colour = container.get("accent_color")
    style = "" if colour is None else f' style="border-left:4px solid #{colour:06x}"'
    return f'<div class="container"{style}>{_children(container)}</div>'


def _row(row: Json) -> str:
    return f'<div class="row">{_children(row)}</div>'


def _section(section: Json) -> str:
    accessory = _component(section["accessory"])
    texts = f'<div class="texts">{_children(section)}</div>'
    return f'<div class="section">{texts}<div class="accessory">{accessory}</div></div>'


def _text(display: Json) -> str:
    return f'<div class="text">{markdown(display["content"])}</div>'


def _separator(separator: Json) -> str:
    line = "line" if separator.get("divider", True) else ""
    wide = "wide" if separator.get("spacing") == 2 else ""
    return f'<div class="separator {wide}"><div class="{line}"></div></div>'


def _button(button: Json) -> str:
    style = {1: "primary", 2: "secondary", 3: "success", 4: "danger", 5: "link"}
    emoji = html.escape((button.get("emoji") or {}).get("name") or "")
    label = html.escape(button.get("label") or "")
    classes = f"button {style.get(button['style'], 'secondary')}"
    classes += " disabled" if button.get("disabled") else ""
    out = OUTWARD if button["style"] == 5 else ""
    shown = "".join(f"<span>{part}</span>" for part in (emoji, label) if part)
    return f'<div class="{classes}">{shown}{out}</div>'


def _select(select: Json) -> str:
    chosen = [o["label"] for o in select.get("options") or () if o.get("default")]
    shown = html.escape("、".join(chosen) or select.get("placeholder") or "")
    return f'<div class="select"><span>{shown}</span><span>⌄</span></div>'


COMPONENTS: dict[int, Callable[[Json], str]] = {
    1: _row, 2: _button, 3: _select, 5: _select, 6: _select, 7: _select, 8: _select,
    9: _section, 10: _text, 14: _separator, 17: _container,
}  # fmt: skip


def _embed(embed: Json) -> str:
    colour = embed.get("color") or 0x202225
    title = inline(embed.get("title") or "")
    fields = "".join(
        f'<div class="field {"short" if field.get("inline") else ""}">'
        f"<b>{inline(field['name'])}</b><div>{markdown(field['value'])}</div></div>"
        for field in embed.get("fields") or ()
    )
    footer = html.escape((embed.get("footer") or {}).get("text") or "")
    return (
        f'<div class="embed" style="border-left-color:#{colour:06x}">'
        f'<div class="title {"linked" if embed.get("url") else ""}">{title}</div>'
        f'<div class="text">{markdown(embed.get("description") or "")}</div>'
        f'<div class="fields">{fields}</div><div class="footer">{footer}</div></div>'
    )


# Discord's markdown: not CommonMark, every line break counts.

LINES: list[tuple[re.Pattern[str], Callable[[re.Match[str]], str]]] = [
    (re.compile(r"(#{1,3}) +(.+)"), lambda m: f"<h{len(m[1])}>{inline(m[2])}</h{len(m[1])}>"),
    (re.compile(r"-# +(.+)"), lambda m: f"<small>{inline(m[1])}</small>"),
    (re.compile(r"( *)[-*] +(.+)"), lambda m: _item("•", m[1], m[2])),
    (re.compile(r"( *)(\d+)\. +(.+)"), lambda m: _item(f"{m[2]}.", m[1], m[3])),
]


def markdown(text: str) -> str:
    """Blocks: code, quotes, headings, small print, lists, lines."""
    shown = []
    for number, part in enumerate(re.split(r"\n?```(?:[\w+-]*\n)?(.*?)```\n?", text, flags=re.S)):
        shown.append(f"<pre>{html.escape(part.rstrip())}</pre>" if number % 2 else _blocks(part))
    return "".join(shown)


def _blocks(text: str) -> str:
    shown: list[str] = []
    lines = text.split("\n") if text else []
    while lines:
        if lines[0].startswith(">>> "):
            lines[0] = lines[0][4:]
            return "".join(shown) + _quote(lines)
        if re.match(r"> ", lines[0]) or lines[0] == ">":
            count = next((i for i, li in enumerate(lines) if not li.startswith(">")), len(lines))
            shown.append(_quote([line[2:] for line in lines[:count]]))
            del lines[:count]
        else:
            shown.append(_line(lines.pop(0)))
    return "".join(shown)


def _quote(lines: list[str]) -> str:
    inner = "".join(_line(line) for line in lines)
    return f'<div class="quote"><div class="bar"></div><blockquote>{inner}</blockquote></div>'


def _line(line: str) -> str:
    for pattern, draw in LINES:
        match = pattern.fullmatch(line)
        if match:
            return draw(match)
    return f"<div>{inline(line) or '<br>'}</div>"


def _item(mark: str, indent: str, text: str) -> str:
    space = len(indent) * 10
    return f'<div class="item" style="margin-left:{space}px"><i>{mark}</i>{inline(text)}</div>'


INLINE = [
    (r"\|\|(.+?)\|\|", r'<span class="spoiler">\1</span>'),
    (r"\*\*\*(.+?)\*\*\*", r"<b><em>\1</em></b>"),
    (r"\*\*(.+?)\*\*", r"<b>\1</b>"),
    (r"__(.+?)__", r"<u>\1</u>"),
    (r"~~(.+?)~~", r"<s>\1</s>"),
    (r"\*(?!\s)([^*]+?)(?<!\s)\*", r"<em>\1</em>"),
    (r"(?<!\w)_(?!\s)([^_]+?)(?<!\s)_(?!\w)", r"<em>\1</em>"),
]


def inline(text: str) -> str:
    """One line: escapes, code, masked links, mentions, bold and so on."""
    kept: list[str] = []

    def keep(shown: str) -> str:
        kept.append(shown)
        return f"\0{len(kept) - 1}\0"

    # Together, for an escaped backtick begins no code, and a backslash in code escapes nothing.
    text = re.sub(
        r"\\([^0-9A-Za-z\s])|(`+)(.+?)\2",
        lambda m: keep(html.escape(m[1]) if m[1] else f"<code>{html.escape(m[3].strip())}</code>"),
        text,
    )
    text = re.sub(
        r"\[([^\]]+)\]\(<?(https?://[^\s)>]+)>?(?: [^)]*)?\)",
        lambda m: keep(f'<span class="url">{inline(m[1])}</span>'),
        text,
    )
    text = re.sub(
        r"<?(https?://[^\s<>]+)>?",
        lambda m: keep(f'<span class="url">{html.escape(m[1])}</span>'),
        text,
    )
    text = re.sub(r"<(@[!&]?|#)\d+>", lambda m: keep(f'<span class="at">{m[1][0]}…</span>'), text)
    text = re.sub(r"</([^:>]+):\d+>", lambda m: keep(f'<span class="at">/{m[1]}</span>'), text)
    text = re.sub(r"<t:\d+(?::\w)?>", lambda _: keep('<span class="when">剛才</span>'), text)
    text = html.escape(text, quote=False)
    for pattern, shown in INLINE:
        text = re.sub(pattern, shown, text)
    while "\0" in text:
        text = re.sub("\0(\\d+)\0", lambda m: kept[int(m[1])], text)
    return text


# The look: the colours and measures of Discord's dark theme.

OUTWARD = (
    '<svg width="16" height="16" viewBox="0 0 24 24" fill="currentColor"><path d="M15 2a1 1 0 0 1 '
    "1-1h6a1 1 0 0 1 1 1v6a1 1 0 1 1-2 0V4.41l-9.3 9.3a1 1 0 0 1-1.4-1.42L19.58 3H16a1 1 0 0 1-1-1Z"
    "M5 2a3 3 0 0 0-3 3v14a3 3 0 0 0 3 3h14a3 3 0 0 0 3-3v-6a1 1 0 1 0-2 0v6a1 1 0 0 1-1 1H5a1 1 "
    '0 0 1-1-1V5a1 1 0 0 1 1-1h6a1 1 0 1 0 0-2H5Z"/></svg>'
)

PAGE = """<!doctype html>
<html lang="{lang}"><head><meta charset="utf-8"><title>Discord</title><style>{css}</style></head>
<body><main>{asked}<div class="message"><div class="avatar">{initial}</div>
<div class="right"><div class="head"><b>{name}</b><span class="app">APP</span>
<time>{time}</time></div>{body}</div></div></main>
<script>document.documentElement.dataset.height =
Math.ceil(document.querySelector("main").getBoundingClientRect().height)</script></body></html>
"""

CSS = """
* { box-sizing: border-box; margin: 0; padding: 0; }
body { background: #313338; color: #dbdee1; font: 16px/1.375 "gg sans", "Noto Sans",
  "Helvetica Neue", Helvetica, Arial, "Noto Sans CJK @@", "Noto Color Emoji", sans-serif;
  overflow-wrap: anywhere; -webkit-font-smoothing: antialiased; }
main { padding: 16px 16px 20px; width: 680px; }
.asked { color: #b5bac1; font-size: 14px; margin: 0 0 4px 56px; position: relative; }
.asked::before { content: ""; position: absolute; left: -36px; top: 10px; width: 30px; height: 12px;
  border: 2px solid #4e5058; border-right: 0; border-bottom: 0; border-radius: 6px 0 0 0; }
.message { display: flex; gap: 16px; }
.avatar { flex: 0 0 40px; height: 40px; border-radius: 50%; background: #5865f2; color: #fff;
  display: grid; place-items: center; font-size: 20px; font-weight: 600; }
.right { flex: 1; min-width: 0; }
.head { display: flex; align-items: center; gap: 6px; line-height: 22px; }
.head b { color: #f2f3f5; font-weight: 500; }
.app { background: #5865f2; color: #fff; font-size: 10px; font-weight: 600; line-height: 15px;
  padding: 0 5px; border-radius: 4px; }
time { color: #949ba4; font-size: 12px; margin-left: 2px; }
b { font-weight: 700; color: inherit; }
em { font-style: italic; }
h1, h2, h3 { color: #f2f3f5; font-weight: 700; line-height: 1.375; margin: 12px 0 6px; }
h1 { font-size: 24px; } h2 { font-size: 20px; } h3 { font-size: 16px; }
h1:first-child, h2:first-child, h3:first-child { margin-top: 0; }
small { display: block; color: #949ba4; font-size: 13px; line-height: 1.4; }
.quote { display: flex; }
.quote .bar { flex: 0 0 4px; border-radius: 4px; background: #4e5058; }
blockquote { padding: 0 8px 0 12px; }
code { font: 85%/1.125 "gg mono", "Source Code Pro", Consolas, "DejaVu Sans Mono",
  "Noto Sans Mono CJK @@", monospace; background: #1e1f22; border-radius: 4px;
  padding: .15em .2em; }
pre { font: 14px/18px "gg mono", "Source Code Pro", Consolas, "DejaVu Sans Mono",
  "Noto Sans Mono CJK @@", monospace; background: #2b2d31; border: 1px solid #1e1f22;
  border-radius: 4px; padding: 8px; margin: 6px 0; white-space: pre-wrap; }
.url { color: #00a8fc; }
.at { background: #3c4270; color: #c9cdfb; border-radius: 3px; padding: 0 2px; font-weight: 500; }
.when, .spoiler { background: #3f4147; border-radius: 3px; padding: 0 2px; }
.spoiler { color: #3f4147; background: #1e1f22; }
.item { padding-left: 22px; position: relative; margin-bottom: 4px; }
.item i { position: absolute; left: 0; width: 16px; text-align: right; font-style: normal; }
.container { background: #2b2d31; border: 1px solid #3f4147; border-radius: 8px; padding: 16px;
  margin-top: 6px; max-width: 600px; display: flex; flex-direction: column; gap: 8px; }
.section { display: flex; gap: 12px; }
.texts { flex: 1; min-width: 0; display: flex; flex-direction: column; gap: 4px; }
.accessory { flex: none; }
.separator { padding: 4px 0; } .separator.wide { padding: 12px 0; }
.separator .line { height: 1px; background: #46484f; }
.row { display: flex; flex-wrap: wrap; gap: 8px; margin-top: 4px; }
.right > .row { margin-top: 8px; }
.button { display: inline-flex; align-items: center; gap: 6px; min-height: 32px; padding: 2px 12px;
  border-radius: 8px; font-size: 14px; font-weight: 500; color: #fff; background: #4e5058;
  white-space: nowrap; }
.primary { background: #5865f2; }
.success { background: #248046; } .danger { background: #da373c; }
.disabled { opacity: .5; }
.select { flex: 1; max-width: 400px; display: flex;
  justify-content: space-between; padding: 8px 12px;
  border-radius: 8px; background: #1e1f22; color: #949ba4; border: 1px solid #3f4147; }
.embed { background: #2b2d31; border-left: 4px solid; border-radius: 4px; padding: 10px 16px 14px;
  margin-top: 4px; max-width: 520px; font-size: 14px; line-height: 18px; }
.embed .title { font-size: 16px; line-height: 22px; font-weight: 600; color: #f2f3f5; }
.embed .title.linked { color: #00a8fc; }
.fields { display: flex; flex-wrap: wrap; gap: 8px; } .field { flex: 0 0 100%; margin-top: 6px; }
.field.short { flex: 1 0 30%; } .field b { color: #f2f3f5; font-weight: 600; }
.footer { color: #b5bac1; font-size: 12px; margin-top: 6px; } .footer:empty { display: none; }
.only-you { color: #949ba4; font-size: 12px; margin-top: 6px; }
.unknown { color: #949ba4; }
"""


def main(arguments: list[str] | None = None) -> None:
    parser = argparse.ArgumentParser(prog="python -m bot.picture", description=__doc__)
    parser.add_argument("message", type=Path, help="JSON of a message, or of a callback")
    parser.add_argument("to", type=Path, help="where to write: .html or .png")
    parser.add_argument("--asked", default="", help='line above, such as "小明 使用了 **/ask**"')
    parser.add_argument("--lang", default="zh-Hant", choices=CLIENT_WORDS)
    given = parser.parse_args(arguments)
    message = json.loads(given.message.read_text("utf-8"))
    shown = page(message.get("data", message), Frame(asked=given.asked, lang=given.lang))
    if given.to.suffix == ".html":
        given.to.write_text(shown, "utf-8")
        return
    try:
        png(shown, given.to)
    except NoChromium as error:
        parser.exit(6, f"{error}\n")


if __name__ == "__main__":
    main()
