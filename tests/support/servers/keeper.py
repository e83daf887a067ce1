"""The keeper: a small process that runs one server and ends it when no process holds the server's lock any more.

`python -I -S keeper.py --holders FILE --log FILE [--remove FOLDER] -- PROGRAM ARGUMENT...`

A process that needs the server holds a shared `flock` on the holders' file, which the kernel drops when that process
is gone, however it died; the keeper waits for the exclusive one. SIGTERM ends the server in order, SIGUSR1 kills it.
Only the keeper signals the server, whose pid is its child's and so never a stranger's. Where the kernel can (Linux),
the server also dies with the keeper. Its one line of output is the server's pid: from then on it obeys. It imports the
standard library only, so that it is up in milliseconds.
"""

import argparse
import ctypes
import fcntl
import os
import shutil
import signal
import subprocess
import sys
import threading
from pathlib import Path

_PR_SET_PDEATHSIG = 1  # linux/prctl.h


def main(argv: "list[str]") -> int:
    own, program = argv[: argv.index("--")], argv[argv.index("--") + 1 :]
    parser = argparse.ArgumentParser()
    parser.add_argument("--holders", required=True)
    parser.add_argument("--log", required=True)
    parser.add_argument("--remove")
    options = parser.parse_args(own)
    server = start(program, options.log)
    signal.signal(signal.SIGTERM, lambda *_: server.terminate())
    signal.signal(signal.SIGUSR1, lambda *_: server.kill())
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is the holders' business
    sys.stdout.write(f"{server.pid}\n")
    sys.stdout.flush()
    threading.Thread(target=kill_when_unheld, args=(server, options.holders), daemon=True).start()
    status = server.wait()
    if options.remove:
        shutil.rmtree(options.remove, ignore_errors=True)
    return status if status >= 0 else 128 - status


def start(program: "list[str]", log: str) -> "subprocess.Popen[bytes]":
    prctl = ctypes.CDLL(None, use_errno=True).prctl if sys.platform.startswith("linux") else None
    keeper_pid = os.getpid()

    def die_with_keeper() -> None:
        if prctl is not None:
            prctl(_PR_SET_PDEATHSIG, int(signal.SIGKILL))
            if os.getppid() != keeper_pid:  # killed before the line above took effect
                os._exit(127)

    with Path(log).open("ab") as output:
        return subprocess.Popen(
            program,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            preexec_fn=die_with_keeper,  # noqa: PLW1509  the keeper has one thread so far
        )


def kill_when_unheld(server: "subprocess.Popen[bytes]", holders: str) -> None:
    descriptor = os.open(holders, os.O_RDWR)
    fcntl.flock(descriptor, fcntl.LOCK_EX)
    server.kill()


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
