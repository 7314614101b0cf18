"""The language of the words around an answer, and of what the bot says itself."""

from bot.texts import language_of
from rag.result import Variant
from rag.variant import detect


def language_of_locale(locale: str | None) -> str:
    """zh-TW, zh-CN or en, as Discord names the locales."""
    return locale if locale in ("zh-TW", "zh-CN") else "en"


def language_for(
    variant: Variant, choice: Variant | None, question: str, locale: str | None
) -> str:
    """That of the answer's script; English for who asks in English and has chosen no script."""
    chinese = choice or detect(question) or (locale or "").startswith("zh") or _has_han(question)
    return language_of(variant) if chinese else "en"


def other_language(language: str, variant: Variant) -> str:
    """The language of the words around an answer that is flipped to `variant`."""
    return language if language == "en" else language_of(variant)


def _has_han(text: str) -> bool:
    return any("\u4e00" <= char <= "\u9fff" for char in text)
