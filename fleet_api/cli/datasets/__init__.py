"""Commands for datasets and saved searches"""
