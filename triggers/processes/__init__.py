"""Process supervision: starting child processes, enforcing their limits, and ending them with their parent.

supervisor.py    keeps a set of children running, and ends them in order
child.py         one supervised child: its start, its log, its end, and killing what it leaves behind
bounded.py       one child that runs until it ends, times out, or is interrupted by its caller
bounded_log.py   a log file of bounded size, which a full disk cannot stop
ends.py          exit statuses in words, and killing a whole process group
lifeline.py      the child's side: a supervised process ends when its supervisor dies
death_signal.py  the signal that the kernel sends to a child when its parent dies

PostgreSQL's guard (storage/embedded/guard.py) is separate: a script that only uses the standard library and is run by
its path with `python -I -S`, so that it starts within milliseconds, as a user who cannot read the rest of this project.
"""
