"""Which release of k3s this file plays. Whoever packs it writes another one in the place of this file."""

BUILT_AS = "v1.34.2+k3s1"
"""What the kubelet that lies beside it was built as."""
VERSION = BUILT_AS
