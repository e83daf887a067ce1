"""The users of processes that root starts: each becomes one of its own, and owns what it needs.

process_users.py  whom a process becomes, and what is in the way   ownership.py  what each of them may reach
lowering.py       giving up root
"""
