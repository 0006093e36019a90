"""The commands: what each asks of the library, and how it prints the answer.

A module has one command, or a few about one subject. `@command` declares each with its arguments, help and examples
above the function that runs it; the function prints the answer, and may return an exit code. Only the
module of the command that runs is imported. Start with `list`, a short one; `who_can` has all that a command may have:
text, JSON, names, and questions to AWS.
"""
