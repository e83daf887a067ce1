"""Pages of HTML that need nothing but themselves, such as a trace and the report of a backtest"""
