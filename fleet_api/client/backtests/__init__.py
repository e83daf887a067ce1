"""The client's backtests."""
