"""The limits of campaigns in a backtest: how long they last, what becomes of fires, and which clips they refuse"""
