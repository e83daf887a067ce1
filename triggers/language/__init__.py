"""The trigger language: parser, checks, compiler to WebAssembly, and the reference interpreter."""
