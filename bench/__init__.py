"""Benchmarks: every figure is a ratio, within one run, to a bare client or to the limit of the machine.

run.py     the command line (`make bench`)       measure.py  alternating rounds, equal results, medians
log/       the log against bare clients          report.py   tables and JSON
objects/   the object stores                     machine.py  what it ran on
loop/      from the gateway to the catalog       engines.py  PostgreSQL, Kafka and S3 to measure on
language/  `longtail check`, the interpreter     cpu.py      CPU time of server processes
speed/     the compiled program, the backtest
"""
