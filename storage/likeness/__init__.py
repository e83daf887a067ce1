"""Vectors of clips: written, searched by distance, and what follows for clips that are almost the same"""
