"""The database queries of `longtail doctor`.

backlog.py    what has waited too long            ledger.py    whether the budget ledger adds up
objects.py    which objects rows name             campaigns.py what the running campaigns were signed with
"""
