"""How good forecasts of budgets are: simulated fleets, whose true rates are known"""
