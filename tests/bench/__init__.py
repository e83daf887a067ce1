"""Tests of the benchmarks' own promises: equal results, fair order, honest tables. No test looks at a time."""
