"""What people come in with: Chromium without a window, and curl, both of which reach loopback and nothing else."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple
from urllib.parse import urlsplit

import pytest

_QUIET = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-background-networking"),
    *("--disable-component-update", "--disable-sync", "--disable-default-apps", "--window-size=900,500"),
)


class Answer(NamedTuple):
    """What curl got."""

    status: int
    headers: Mapping[str, str]
    body: str

    @property
    def location(self) -> str:
        """Where it is sent."""
        return self.headers.get("location", "")


class NotTrusted(Exception):
    """The connection came about, and its certificate is not one for this name by a trusted authority."""


_CERTIFICATE = 60
"""curl's exit status."""


def curl(url: str, *more: str, root: Path | None = None, source: str = "127.0.0.1") -> Answer:
    """One request, wherever its address would lead; trusts `root` and nobody else."""
    place = urlsplit(url)
    port = place.port or {"https": 443, "http": 80}[place.scheme]
    command = ["curl", "--silent", "--show-error", "--include", "--http1.1", "--max-time", "20", "--interface", source]
    command += ["--connect-to", f"{place.hostname}:{port}:127.0.0.1:{port}", "--capath", os.devnull]
    command += ["--cacert", str(root)] if root else []
    done = subprocess.run([*command, *more, url], capture_output=True, text=True, check=False)
    if done.returncode == _CERTIFICATE:
        raise NotTrusted(done.stderr)
    assert done.returncode == 0, f"{url}: {done.stderr}"
    head, _, body = done.stdout.partition("\n\n") if "\r\n\r\n" not in done.stdout else done.stdout.partition("\r\n\r\n")
    first, *lines = head.splitlines()
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Answer(int(first.split()[1]), headers, body)


class Browser:
    """One person's Chromium, which trusts one authority."""

    def __init__(self, folder: Path, root: Path | None) -> None:
        found = shutil.which("chromium") or shutil.which("chromium-browser")
        certutil = shutil.which("certutil")
        if not (found and certutil):
            if os.environ.get("CI"):
                pytest.fail("the browser is missing: apt-get install chromium libnss3-tools")
            pytest.skip("there is no chromium, or no certutil")
        self._program, self._home = found, folder / ("trusting" if root else "trusting-nobody")
        store = self._home / ".pki/nssdb"
        store.mkdir(parents=True)
        subprocess.run([certutil, "-d", f"sql:{store}", "-N", "--empty-password"], check=True, capture_output=True)
        if root:
            trust = [certutil, "-d", f"sql:{store}", "-A", "-t", "C,,", "-n", "home", "-i", str(root)]
            subprocess.run(trust, check=True, capture_output=True)

    def page(self, url: str) -> str:
        """The page as it is after its scripts ran."""
        return self._run("--dump-dom", url)

    def picture(self, url: str, file: Path) -> None:
        """What a person sees there."""
        self._run(f"--screenshot={file}", url)

    def _run(self, *more: str) -> str:
        profile = f"--user-data-dir={self._home / 'profile'}"
        command = [self._program, *_QUIET, profile, "--host-resolver-rules=MAP * 127.0.0.1", *more]
        environment = {"PATH": os.environ["PATH"], "HOME": str(self._home)}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=True, timeout=90).stdout
