"""The embedded PostgreSQL, from a wheel and supervised: `EmbeddedPostgres(data_dir)` needs no set-up.

server.py    EmbeddedPostgres: start, wait, stop, URL
guardian.py  the owner's side of the guard       guard.py  the guard process itself
cluster.py   the files on disk                   locks.py  who may use them
binaries.py  the programs                        runas.py  the user they run as
sockets.py   the only way to reach the server    access.py  who may connect, and as whom
cancellation.py  how a long start is cancelled
"""

from storage.embedded.cancellation import StartCancelled
from storage.embedded.runas import scratch_dir
from storage.embedded.server import EmbeddedPostgres, running_url

__all__ = ["EmbeddedPostgres", "StartCancelled", "running_url", "scratch_dir"]
