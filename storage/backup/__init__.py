"""Backups: the database's rows as of one moment, and every object that they name.

tables.py    which tables a backup has         snapshot.py  writes their rows to files
load.py      reads them into a new database    restored.py  what remains to be known of restores afterwards
objects.py   copies objects, and checks them   index.py     what has been copied, so that a run can go on
"""
