"""The API's forecasts of budgets: routes and use cases"""
