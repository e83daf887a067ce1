"""`longtail cost` of a deployment: price books, what campaigns have cost, months and their statements"""
