"""What a program or a model outside needs to know of the language: grammar, rules, words, diagnostics, examples."""
