"""Usage in the API"""
