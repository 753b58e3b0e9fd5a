"""The script that runs on a host, in the order in which it is read: model, gpt, decide, … main.

Each file is an ordinary module here, so that its rules are tested without a host; `fluxstead.hosts.build` joins them
into one Python file. Only the standard library of Python 3.9, and no import that is not at the top of a file.
"""
