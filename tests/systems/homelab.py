"""A homelab with the applications of the page that says how to add them, exactly as they are typed there."""

from __future__ import annotations

import re
import textwrap
from pathlib import Path

PAGE = Path(__file__).parents[2] / "docs/tasks/add-an-application.md"
STACK = "homelab"
CLUSTER = """\
config:
  fluxstead:flux: {version: 2.9.5}
  fluxstead:kubernetes: {version: v1.34.2+k3s1, nodeCidr: 192.168.86.0/24}
  fluxstead:longhorn: {version: 1.12.1, replicas: 1, ui: null}
  fluxstead:ingress: {controller: traefik}
  fluxstead:access: {by: open, reason: each of them asks for a password itself}
  fluxstead:monitoring: {version: 88.5.3, grafana: {adminSecret: grafana}}
  fluxstead:apps:
"""
MACHINES = {
    "k3s1": "role: server",
    "k3s2": "role: agent",
    "k3s3": "role: agent\nlabels: {example.test/media: 'true'}\ntaints: [{key: example.test/media, effect: NoSchedule}]",
}
_KEY = "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIEplZVhZ0yMtr0yZp1c4m9nM0eO7uY1cQ0n6w1w3kq2H"


def examples() -> list[str]:
    """The applications on the page: each block of YAML that begins with one."""
    blocks = re.findall(r"```yaml\n(- name: .*?)```", PAGE.read_text(), re.DOTALL)
    assert len(blocks) >= 6
    return blocks


def application(name: str) -> str:
    """One application's lines on the page."""
    block = next(block for block in examples() if f"- name: {name}\n" in block)
    return next(one for one in re.split(r"(?<=\n)\n(?=- name: )", block) if one.startswith(f"- name: {name}\n"))


def described(lines: str) -> str:
    """Lines of the page as they stand in the stack file."""
    return textwrap.indent(lines, "    ")


def write(folder: Path) -> None:
    """Write its description: three machines, one of which keeps other pods away, and every example."""
    (folder / "nodes").mkdir()
    (folder / "Pulumi.yaml").write_text("name: fluxstead\nruntime: python\n")
    (folder / f"Pulumi.{STACK}.yaml").write_text(CLUSTER + described("".join(examples())))
    for number, (name, rest) in enumerate(MACHINES.items(), 1):
        disk = f"disks: [{{name: data, serial: S{number}, size: 2Ti, mountPath: /mnt/longhorn/data}}]"
        lines = f"cluster: {STACK}\naddress: 192.168.86.8{number}\nstate: live\nssh: {{hostKey: {_KEY}}}\n{rest}\n{disk}\n"
        (folder / f"nodes/{name}.yaml").write_text(lines)
