"""Traefik as a plain process, which reads its routes from the API server."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from tests.e2e.cluster.control_plane import ControlPlane, answers
from tests.e2e.cluster.processes import Processes
from tests.e2e.ways_in import site

NAME = "traefik"


def start(plane: ControlPlane, processes: Processes, program: Path, ports: Mapping[str, int], hosts: Path) -> None:
    """Traefik, told to go to Services and not to their pods; its ports are those that nodes have in a cluster."""
    command = [
        str(program),
        f"--entrypoints.web.address=127.0.0.1:{ports['http']}",
        f"--entrypoints.websecure.address=127.0.0.1:{ports['https']}",
        "--providers.kubernetesingress=true",
        "--providers.kubernetesingress.nativelbbydefault=true",
        "--providers.kubernetescrd=true",
        "--providers.kubernetescrd.nativelbbydefault=true",
        "--ping=true",
        f"--entrypoints.traefik.address=127.0.0.1:{ports['ping']}",
        "--global.checknewversion=false",
        "--global.sendanonymoususage=false",
        "--log.level=INFO",
    ]
    apart = site.in_names_of_its_own(hosts, command)
    processes.start(NAME, apart, {"KUBECONFIG": str(plane.kubeconfig)})
    processes.wait(NAME, lambda: answers(f"http://127.0.0.1:{ports['ping']}/ping"))
