"""Watching in the API: histories of clips and fires, latencies"""
