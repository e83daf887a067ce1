"""The sandbox of extraction: a server that forks a child for each clip, its limits and its jail, and what it left.

sandbox.py      ingest's side: starts the server, gives it clips, and tells how each child ended
fork_server.py  the server's side: forks a child for each clip, and ends whatever that has started
child_ends.py   how the server learns that a child has ended
orders.py       what both say to each other
confinement.py  the limits of a child
answers.py      what a child left: its answer and its files, opened as what hostile bytes may have made of them
starter.py      starts the server as root, for an ingest that has given root up
isolation.py    whether this system has what the jail needs, and whether to go on without
warm_up.py      what every child would have to do first, done once in the server
"""
