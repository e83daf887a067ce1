"""Tests of the limits of campaigns in a backtest."""
