"""Tables of backtests."""
