"""Benchmarks: ``python -m benchmarks FAMILY`` measures, ``python -m benchmarks compare`` prints.

Run from the project's root. Families are the modules of `benchmarks.__main__.FAMILIES`; `RESULTS.md`
has the figures of one run, with the commands that made them.
"""
