"""What a policy means: pure values and functions, without I/O, clock or framework."""
