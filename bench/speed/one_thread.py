"""Polars with one thread, like all contenders of these comparisons: `from bench.speed.one_thread import pl`."""

from __future__ import annotations

import os

os.environ["POLARS_MAX_THREADS"] = "1"  # it is read once, when polars is imported

import polars as pl

if pl.thread_pool_size() != 1:
    raise ImportError("polars was imported before it could be told to use one thread; import one_thread first")

__all__ = ["pl"]
