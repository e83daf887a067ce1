"""The compiled program: a WebAssembly module that evaluates a campaign's triggers over blocks of rows."""
