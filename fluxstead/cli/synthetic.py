"""A made-up description of any size, for benchmarks and for tests of scaling."""

from __future__ import annotations

from pathlib import Path

_STACK = """\
config:
  fluxstead:flux:
    version: 2.9.5
  fluxstead:kubernetes:
    version: v1.36.3+k3s1
    disable: [traefik, servicelb, local-storage]
    nodeCidr: 10.0.0.0/8
    podCidr: 172.20.0.0/14
    serviceCidr: 172.24.0.0/14
  fluxstead:longhorn:
    version: 1.12.1
  fluxstead:ingress:
    controller: ingress-nginx
    version: 4.15.1
  fluxstead:apps:
"""

_APP = """\
    - name: app-{index}
      image: registry.example/app-{index}
      port: 8080
      environments:
        - name: prod
          tag: 1.0.{index}
          replicas: 2
          env: {{LOG_LEVEL: info}}
          route: {{host: app-{index}.example.test}}
"""

_NODE = """\
cluster: synthetic
address: 10.{high}.{middle}.{low}
role: {role}
state: live
labels: {{storage: longhorn, rack: r{index}}}
disks:
  - {{name: data1, serial: SN{index}A, size: 465Gi, mountPath: /mnt/longhorn/data1, tags: [hdd], reserved: 25Gi}}
  - {{name: data2, serial: SN{index}B, size: 1Ti, mountPath: /mnt/longhorn/data2, tags: [nvme], reserved: 25Gi}}
"""


def write_project(root: Path, *, nodes: int, apps: int) -> None:
    """Write the stack `synthetic` with this many machines and applications into `root`."""
    (root / "nodes").mkdir()
    (root / "Pulumi.synthetic.yaml").write_text(_STACK + "".join(_APP.format(index=index) for index in range(apps)))
    for index in range(nodes):
        role = "server" if index == 0 else "agent"
        address = {"high": 1 + index // 40000, "middle": index // 200 % 200, "low": 1 + index % 200}
        (root / f"nodes/n{index:05}.yaml").write_text(_NODE.format(index=index, role=role, **address))
