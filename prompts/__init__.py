"""Every word said to a language model, one file a purpose and a script."""
