"""The forecast of a budget: burn rate, end date and total with intervals, learnt from backtest and days"""
