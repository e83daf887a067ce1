"""Rates, comparisons and forecasts in the API"""
