"""The names of the objects' files within their layer: each object has its own."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from fluxstead.core.manifest import ObjectRef

_LONGEST = 200
"""Characters of a name; a file system takes 255 bytes, and editors and Git's own files add to it."""


def file_names(refs: Sequence[ObjectRef]) -> list[str]:
    """A file name for each object of a layer, no two the same: `helm-release-site.yaml` says what the file is.

    Where kind and name are not enough, namespace and API group are added, then a digest of the identity. Names are in lower case,
    so that no two collide on a file system that takes `A` for `a`. An identity that appears twice gets a number: that it is
    there twice is reported by the check of owners, which has to see both.
    """
    names = [_shortened(_plain(ref), ref) for ref in refs]
    for longer in (_qualified, _digested):
        counted = Counter(names)
        if len(counted) == len(names):
            break
        names = [_shortened(longer(ref), ref) if counted[name] > 1 else name for name, ref in zip(names, refs, strict=True)]
    seen: Counter[str] = Counter()
    for index, name in enumerate(names):
        names[index] = f"{name}-{seen[name] + 1}" if seen[name] else name
        seen[name] += 1
    return [f"{name}.yaml" for name in names]


def _plain(ref: ObjectRef) -> str:
    kind = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "-", ref.kind)
    return _safe(f"{kind}-{ref.name}")


def _qualified(ref: ObjectRef) -> str:
    return ".".join([_plain(ref), *(_safe(part) for part in (ref.namespace, ref.group) if part)])


def _digested(ref: ObjectRef) -> str:
    return f"{_qualified(ref)}-{_digest(ref)}"


def _shortened(name: str, ref: ObjectRef) -> str:
    return name if len(name) <= _LONGEST else f"{name[:_LONGEST]}-{_digest(ref)}"


def _safe(text: str) -> str:
    return re.sub(r"[^a-z0-9.-]+", "-", text.lower())


def _digest(ref: ObjectRef) -> str:
    return hashlib.sha256(repr((ref.group, ref.kind, ref.namespace, ref.name)).encode()).hexdigest()[:8]
