"""Rates: vehicles' counts divided by software and rollout, sums of them over vehicles, and what each day had counted"""
