"""The host side of a compiled program: its bytes, its manifest, the machine that runs it."""
