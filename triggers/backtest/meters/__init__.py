"""Meters of a drive: what a backtest measures batch by batch beside the fires: time, distance, clip sizes, overlap."""
