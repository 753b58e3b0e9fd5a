"""Where k3s keeps what it writes, and where this stand-in finds what k3s has inside its binary."""

from __future__ import annotations

from pathlib import Path

PROGRAMS = Path("/opt/fluxstead-stand-in")
DATA = Path("/var/lib/rancher/k3s")
SERVER = DATA / "server"
TLS = SERVER / "tls"
DATABASE = SERVER / "db"
AGENT = DATA / "agent"
CONTAINERD = Path("/run/k3s/containerd/containerd.sock")
LOGS = Path("/var/log/k3s-stand-in")
ADMIN = Path("/etc/rancher/k3s/k3s.yaml")
API_PORT = 6443


def write(file: Path, text: str, mode: int = 0o600) -> Path:
    """Put a whole file in its place at once."""
    file.parent.mkdir(parents=True, exist_ok=True)
    part = file.with_name(f".{file.name}.part")
    part.touch(mode=mode)
    part.chmod(mode)
    part.write_text(text)
    part.replace(file)
    return file
