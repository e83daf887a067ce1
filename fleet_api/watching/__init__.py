"""Watching a deployment: the API's metrics, alert rules with what evaluates them, and the dashboard"""
