"""Commands for watching a deployment: histories, latencies, alerts"""
