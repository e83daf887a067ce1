"""Metrics of the processes in OpenMetrics: their names, what is counted where, and `/metrics`"""
