"""Secrets: what the described systems need, what is there as ciphertext, and how people give, keep and rotate it.

`settings`, `state` and `checks` are pure and read ciphertext as plain YAML, which is all that pass one needs; everything
that runs sops or age is only imported by `./run secrets`.
"""
