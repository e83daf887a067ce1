"""Commands for language models and other programs outside: the schema of the language, and the server of tools."""
