"""The trigger language, its program, campaigns and bundles, backtest, and what runs on a vehicle."""
