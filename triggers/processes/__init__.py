"""Processes that watch over processes: how a child is started and held to its bounds, and how none outlives its parent.

supervisor.py    keeps a set of children running, and ends them in order
child.py         one supervised child: its start, its log, its end, the sweep of what it leaves
bounded.py       one child with an end in sight: run until it answers, its time is over or its caller loses interest
ends.py          how a process ended, in words, and the end of a whole process group
lifeline.py      the other side of a supervised child: it ends when its supervisor is gone
death_signal.py  the kernel's signal to a child at its parent's death

PostgreSQL's guard (storage/embedded/guard.py) stays apart: it is a script of the standard library only, run by its path
with `python -I -S`, so that it is up in milliseconds and for a user who may read nothing else of this project.
"""
