"""The commands, each declared with its arguments, help and examples; only the module of the one that runs is imported."""
