"""Datasets: which clips they have, their versions, what keeps their clips; and saved searches"""
