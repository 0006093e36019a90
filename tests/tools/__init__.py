"""Programs beside the tests: what measures ekstui, makes faults in it, and compares it with others."""
