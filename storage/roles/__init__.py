"""Roles of the database: an owner for the schema, and one for each process, which may only do what that process does.

rights.py    which role may do what to which table   grants.py    brings the database's rights to that
powers.py    what else a role may have, and should not
process_settings.py  the settings of one process
script.py    the SQL that makes the roles            sessions.py  as whom processes are connected
"""
