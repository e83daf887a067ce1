"""Datasets and saved searches in the API"""
