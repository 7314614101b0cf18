"""`python -m bot` serves Discord."""

import sys

from bot.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "bot")
    main()
