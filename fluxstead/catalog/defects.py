"""Releases with known defects that cost data, backups or the cluster, and the first release without; each with its source."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fluxstead.core.version import Version


class Defect(NamedTuple):
    """What is wrong with the releases from `since` on and before `fixed`; `source` is where it is reported."""

    since: tuple[int, int, int]
    fixed: tuple[int, int, int]
    what: str
    source: str

    def is_in(self, version: Version) -> bool:
        """Whether a release has it."""
        return self.since <= version.numbers < self.fixed

    @property
    def cure(self) -> str:
        """The first release without it."""
        return ".".join(map(str, self.fixed))


_MISSING_PATH = "a disk whose path is missing on its machine makes Longhorn's manager there crash, again and again"
_TAKEN_OVER = "every pod can run code in the controller, through its webhook, and so read every Secret (CVE-2025-1974)"

OF_CHARTS: Mapping[str, tuple[Defect, ...]] = {
    "longhorn": (
        Defect((1, 5, 0), (1, 7, 3), _MISSING_PATH, "longhorn/longhorn#10749"),
        Defect((1, 8, 0), (1, 8, 2), _MISSING_PATH, "longhorn/longhorn#10749"),
        # 1.9.1 has a part of the fix: several volumes at once still end in the deadlock (longhorn/longhorn#11493).
        Defect((1, 9, 0), (1, 9, 2), "recurring jobs of the group `default` fail, backups included", "longhorn/longhorn#11016"),
        Defect((1, 11, 0), (1, 11, 1), "its webhook keeps a server that starts again from joining", "longhorn/longhorn#12578"),
    ),
    "ingress-nginx": (
        Defect((0, 0, 0), (4, 11, 5), _TAKEN_OVER, "kubernetes/kubernetes#131009"),
        Defect((4, 12, 0), (4, 12, 1), _TAKEN_OVER, "kubernetes/kubernetes#131009"),
    ),
}

LAST = {"ingress-nginx": "4.15.1"}
"""The last release of a chart that has been retired."""

ETCD_OF_K3S = Defect((1, 32, 0), (1, 33, 8), "its etcd may not start after the step to 1.34", "k3s-io/k3s#13485")
"""Where several servers share etcd: removed members come back. Only 3.5.26 cleans up (k3s-io/k3s#13493, for 1.33)."""


def defects_of(chart: str, version: Version) -> list[Defect]:
    """What is known to be wrong with a release of a chart."""
    return [one for one in OF_CHARTS.get(chart, ()) if one.is_in(version)]
