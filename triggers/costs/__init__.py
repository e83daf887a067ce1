"""Costs: the price book, and what transfer, requests and storage cost by it, exact to the last digit."""
