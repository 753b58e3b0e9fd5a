"""What the script installs on a host and leaves there, in the order in which it is read; `hosts.build` makes one file of it.

Only the standard library of Python 3.9, and no import that is not at the top of a file.
"""
