"""Tests of the console's backtests."""
