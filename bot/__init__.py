"""The front doors: the Discord bot and the command line, both over one Service."""
