"""Benchmark of the web console: how soon pages can be used and searches are answered, with a million clips."""
