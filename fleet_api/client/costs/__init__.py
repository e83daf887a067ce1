"""Costs in the client: what campaigns have cost, and months that close"""
