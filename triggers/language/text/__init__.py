"""The text of trigger files: lexer, parser, syntax tree, formatter, diagnostics."""
