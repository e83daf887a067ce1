"""The jail: what a process that reads hostile bytes gives up for good (Linux; elsewhere it says what it cannot do).

jail.py        what is given up, in its order: `begin` before there is a hostile byte, `enter` in each child
privileges.py  another user, no capabilities, no new ones, nothing that others of the same user can look into
landlock.py    files: those that it may read, and the one folder that it may write (Landlock)
seccomp.py     system calls: a list of those that are allowed, compiled to a filter of the kernel (seccomp-bpf)
calls.py       which system calls a child and its server need, and their numbers on x86-64 and aarch64
isolation.py   whether to refuse where the system lacks a part
parts.py       which of these parts this system lacks, what that means, and what to do
descendants.py the end of everything that a child has started, also of what left its process group
kernel.py      calls into the kernel for which Python has no function
"""
