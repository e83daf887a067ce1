"""Kernels: one WebAssembly function per operation, a file per family of operations."""
