"""Requests and answers of the HTTP API, shared by server and client.

Requests end in Request, answers in View, List or Page.
"""
