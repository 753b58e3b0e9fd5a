"""Rules that stand where their subject is read, planned or compared, listed for the registry."""

from __future__ import annotations

from fluxstead.checks.subject import Check, LooksAt
from fluxstead.core.findings import Severity

_DESCRIPTION: LooksAt = "the description"
_FILES: LooksAt = "the files on disk"

# id, what it protects from, an example of its message
_ERRORS = (
    ("accept/error", "U7", "`storage/tags` is an error"),
    ("accept/unknown", "U7", "no check is called `storage/tags-unusd`"),
    ("description/missing", "U7", "`version` is missing"),
    ("description/no-cluster", "U12", "no stack is called 'k3s-flx'"),
    ("description/no-stack", "U7", "there is no description of a stack `k3s-fluxx`"),
    ("description/secret", "F22", "`fluxstead:monitoring` is encrypted"),
    ("description/type", "U7", "replicas: expected a whole number, found the text 'two'"),
    ("description/unknown-key", "F20", "unknown key `apps[0].replica`"),
    ("description/unread-node", "U12", "this is not read: machines are files nodes/<name>.yaml"),
    ("description/unreadable", "U7", "the file cannot be read: …"),
    ("description/value", "F4, F23, F24, U1", "version: '1.9.x' is not an exact version"),
    ("description/yaml", "F20", "the key `state` stands here a second time"),
    ("flux/directory", "F3", "the project lies in homelab of its Git repository, and its paths would begin in the root"),
    ("nodes/address-outside", "U7", "10.0.0.1 is no address of a machine in 192.168.86.0/24"),
    ("nodes/address-twice", "U7", "k3s2 has the address of k3s1 (nodes/k3s1.yaml:3)"),
    ("nodes/disk-inside-disk", "F13", "/mnt/a/b lies on disk 'a' at /mnt/a"),
    ("nodes/disk-twice", "F13", "mountPath '/mnt/disks/sdf1' is already declared at nodes/k3s1.yaml:15"),
    ("nodes/no-server", "U7", "no live node is a server"),
    ("nodes/unusable-address", "U7", "no machine can be reached at 127.0.0.1"),
    ("order/cycle", "F2", "layers wait for each other: a → b → a"),
    ("order/dangling-dependency", "F2", "layer `monitoring` depends on `infrastructur`, which does not exist"),
    ("order/unmet-need", "U5", "layer `web` needs StorageClass fast, and nothing offers it"),
    ("tree/namespace-not-ours", "F27", "layer `web` would own the namespace kube-system"),
    ("tree/name-taken", "F8", "the layer `infrastructure` has the name of the group `infrastructure`"),
)
_WARNINGS = (
    ("accept/unused", "U7", "nothing is found that `storage/tags-unused` would accept"),
    ("flux/begins-elsewhere", "F3", "Flux was bootstrapped into clusters/home at the repository's root, and its entry …"),
)
_OWNED = (
    ("tree/added", "U8", "a manifest that fluxstead did not write lies in the generated tree"),
    ("tree/deleted", "F3, U8", "deleted by hand: generated/home/apps.yaml"),
    ("tree/edited", "U8", "edited by hand: …"),
    ("tree/entry", "F27", "it is empty"),
    ("tree/in-the-way", "U8", "a symbolic link is where the tree has a file"),
    ("tree/record", "U8", "the record of generated files cannot be read"),
)
_DISK = (
    ("tree/locked", "U8", "the tree is held by process 4711 (./run render)"),
    ("tree/not-written", "U8", "it cannot be written: No space left on device; the tree is as it was before"),
    ("tree/unreadable", "U8", "it cannot be read: Permission denied"),
)

ELSEWHERE = (
    *(Check(id_, protects, Severity.ERROR, _DESCRIPTION, says) for id_, protects, says in _ERRORS),
    *(Check(id_, protects, Severity.WARNING, _DESCRIPTION, says) for id_, protects, says in _WARNINGS),
    *(Check(id_, protects, Severity.ERROR, _FILES, says) for id_, protects, says in _OWNED),
    Check(
        "tree/stale", "U8", Severity.WARNING, _FILES, "the tree is not what the description says: update generated/home/apps.yaml"
    ),
)

REFUSED_BY_THE_DISK = tuple(Check(id_, protects, Severity.ERROR, _FILES, says) for id_, protects, says in _DISK)
"""What takes more than a description to happen: another run, rights, a full disk."""
