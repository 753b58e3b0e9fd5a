"""The command line: arguments, printing and exit status. 0 fine, 1 findings or differences, 2 wrong use."""
