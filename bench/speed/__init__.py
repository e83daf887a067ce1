"""The compiled program and the backtest against what people write by hand."""
