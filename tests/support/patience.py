"""How long a test waits: no test is decided by how busy the machine is, and one that hangs ends at last."""

PATIENCE = 300.0
"""Seconds after which what a test waits for does not come any more, beside however many others it may run."""

PROCESSOR = 100.0
"""Seconds of processor time that bounded work needs on no machine; without its bound it would take minutes."""
