"""What the figures of a backtest rest on, for people: single drives, speeds, places and hours, known events."""
