"""Forecasts of budgets: what is thought before the start, what the days tell, and the steward that keeps them"""
