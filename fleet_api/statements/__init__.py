"""The API's statements: what campaigns have cost so far, months that close and never change, and their export"""
