"""What the figures of a backtest rest on: single drives, the speeds, places and hours of fires, and known events."""
