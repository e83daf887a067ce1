"""Costs: the price books that operators have published"""
