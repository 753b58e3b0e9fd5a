"""From bare machines to the first sync in one `pulumi up`; the third machine joins by one file and the same."""

from __future__ import annotations

import time
from collections.abc import Callable

import pytest

from tests.e2e.engine import command_plugin, kubernetes_plugin, which_plugin

from .fixtures import STAND_IN, Site
from .whole import CLUSTER, PLAYED, UP, operator

pytestmark = pytest.mark.machine
TOOLS = (
    "pulumi",
    "pulumi-language-python",
    "flux",
    "kubectl",
    "kustomize",
    "source-controller",
    "kustomize-controller",
    "helm-controller",
)
Record = Callable[[str, object], None]


def test_bare_machines_become_a_cluster_and_a_third_joins(need: Callable[..., object], site: Site, record_property: Record) -> None:
    need(*TOOLS)
    for name, value in {
        "k3s": STAND_IN,
        "played": PLAYED,
        "pulumi-command's plugin": which_plugin(command_plugin()),
        "pulumi-kubernetes' plugin": which_plugin(kubernetes_plugin()),
    }.items():
        record_property(name, value)
    machines = site.machines(3)
    with operator(site, machines[:2]) as one:
        one.run("upgrade", "flux")
        one.add_images()
        one.run("secrets", "init")
        one.run("secrets", "set", "k3s-token", "--generate")
        one.run("render")
        one.push()
        assert one.engine.run("stack", "init", CLUSTER).returncode == 0
        preview = one.engine.run("preview")
        assert preview.returncode == 0, preview.stdout + preview.stderr
        began = time.monotonic()
        up = one.engine.run(*UP)
        record_property("up: two bare machines to the first sync", f"{time.monotonic() - began:.0f} s")
        assert up.returncode == 0, up.stdout + up.stderr
        print(up.stdout, up.stderr)
