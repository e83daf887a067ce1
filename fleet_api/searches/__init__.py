"""The API's saved searches: routes and use cases"""
