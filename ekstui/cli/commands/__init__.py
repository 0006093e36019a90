"""One module a command: it asks the library and prints the answer."""
