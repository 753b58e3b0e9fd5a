"""What third-party versions are like: their object schemas, their charts' values, and what each brings to a cluster.

Data only, written by `tools/catalog.py`; nothing here is asked over the network.
"""
