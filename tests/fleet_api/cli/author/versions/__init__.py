"""Tests of backtests of several versions on the command line."""
