"""`./run verify`: whether network, storage and ways in work, tried with pods, claims and requests of its own."""
