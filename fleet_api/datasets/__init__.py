"""The API's datasets: routes, use cases and rules"""
