"""Run a module against a local Discord in a process of its own, to send it real signals.

python tests/discord_local/launch.py REST_URL GATEWAY_URL MODULE [ARGUMENT...]
"""

import os
import runpy
import sys

import yarl
from discord.gateway import DiscordWebSocket
from discord.http import Route

if __name__ == "__main__":
    rest, gateway, module, *arguments = sys.argv[1:]
    Route.BASE, DiscordWebSocket.DEFAULT_GATEWAY = rest, yarl.URL(gateway)
    sys.path.insert(0, os.getcwd())  # noqa: PTH109 - as `python -m` does
    sys.argv = [module, *arguments]
    runpy.run_module(module, run_name="__main__", alter_sys=True)
