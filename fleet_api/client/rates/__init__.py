"""Rates, comparisons and forecasts in the client"""
