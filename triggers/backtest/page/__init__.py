"""The report of a backtest as a page of HTML, for the author and for whoever approves, made of its contract type"""
