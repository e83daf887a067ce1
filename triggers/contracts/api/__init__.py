"""Requests and responses of the HTTP API, shared by server and client.

Names of requests end in Request, names of responses in View, List or Page.
"""
