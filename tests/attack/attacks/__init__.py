"""The attacks: floods, drips, fills, forgeries and replays, each a function whose name says what it tries."""
