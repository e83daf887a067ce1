"""Costs in the API"""
