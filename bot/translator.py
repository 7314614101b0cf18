"""The names of commands, options and choices in the languages of Discord's client."""

from typing import Any

import discord
from discord import app_commands
from discord.app_commands import locale_str

from bot.texts import LANGUAGES, text

Translation = app_commands.TranslationContextTypes


class Translator(app_commands.Translator):
    """Looks up the key that a `locale_str` carries; en-US reads what is registered."""

    async def translate(
        self, string: locale_str, locale: discord.Locale, _: Translation
    ) -> str | None:
        key = string.extras.get("key")
        if key is None or locale.value not in LANGUAGES:
            return None
        return text(locale.value, key)


def words(key: str) -> locale_str:
    """English under a key, and by it the other languages."""
    return locale_str(text("en", key), key=key)


class _Named:
    """The keyword arguments that name a command and its options."""

    def __call__(self, command: str) -> dict[str, Any]:
        return {
            "name": words(f"command.{command}_name"),
            "description": words(f"command.{command}_description"),
        }

    def menu(self, name: str) -> locale_str:
        return words(f"menu.{name}")

    def options(self, *names: str) -> dict[str, locale_str | str]:
        return {name: words(f"option.{name}_name") for name in names}

    def descriptions(self, *names: str) -> dict[str, locale_str | str]:
        return {name: words(f"option.{name}_description") for name in names}

    def describe(self, name: str) -> locale_str:
        return words(f"option.{name}_description")

    def choices(self, *values: str) -> list[app_commands.Choice[Any]]:
        return [app_commands.Choice(name=words(f"choice.{value}"), value=value) for value in values]


named = _Named()
