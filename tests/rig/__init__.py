"""An AWS of our own on loopback: moto corrected where it differs from AWS, a proxy that makes faults, a realistic account.

`python -m tests.rig --roles 300` serves it by hand; `tests/rig/fixtures.py` gives it to tests.
"""
