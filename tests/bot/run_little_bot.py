"""Run the little bot as a program, for the tests that need a process. Argument: the token."""

import sys

from tests.bot.little_bot import little_bot

if __name__ == "__main__":
    little_bot().run(sys.argv[1])
