"""Datasets in the client: versions and their members, saved searches, and exports to a folder"""
