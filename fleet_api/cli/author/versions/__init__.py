"""`longtail backtest` of several versions: one file against another, or with several values of a constant"""
