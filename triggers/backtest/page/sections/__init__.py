"""The sections of a report's page: each gives its parts, or nothing where the report has nothing"""
