"""The backtest: what a trigger file would have done on recorded drives, and what that predicts for a fleet."""
