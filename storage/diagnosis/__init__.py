"""What the database says of the deployment's state: for `longtail doctor`, and for processes that start.

schema.py     whether the schema is this version's    deployment.py whose database it is
backlog.py    what has waited too long                ledger.py     whether the budget ledger adds up
objects.py    which objects rows name                 campaigns.py  what the running campaigns were signed with
"""
