"""Host preparation: the script that runs on a host, and what carries it there."""
