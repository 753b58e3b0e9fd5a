"""A Debian's packages in a folder: the real apt and dpkg, with a database, an archive and locks of the tests' own."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
from pathlib import Path

from fluxstead.hosts.script import tools

TOOLS = ("apt-get", "dpkg", "dpkg-deb", "dpkg-query")
CONTROL = (
    "Package: {name}\nVersion: {version}\nArchitecture: all\nMaintainer: tests <t@example.test>\nDescription: of the tests\n{more}"
)
KILLER = '#!/bin/sh\n[ ! -e {mark} ] || {{ rm -f {mark}; kill -9 "$PPID"; }}\nexit 0\n'
"""A maintainer script that ends dpkg, as a power cut would, when its mark is there."""


class Debian:
    """What is installed, what an archive offers, and the programs by which the script sees it."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.database = root / "var/lib/dpkg"
        self.programs = root / "programs"
        self.archive = root / "archive"
        for folder in (
            *(
                self.database / "updates",
                self.database / "info",
                self.programs,
                self.archive,
                root / "usr/bin",
                root / "var/log/apt",
            ),
            *(root / "var/lib/apt/lists/partial", root / "var/cache/apt/archives/partial"),
            *(root / "etc/apt/preferences.d", root / "etc/apt/sources.list.d", root / "etc/apt/apt.conf.d"),
        ):
            folder.mkdir(parents=True)
        (self.database / "status").touch()
        self.sources(f"deb [trusted=yes] file:{self.archive} ./")
        self._programs()

    def sources(self, text: str) -> None:
        """Where apt gets packages from."""
        (self.root / "etc/apt/sources.list").write_text(text + "\n")

    def offer(self, name: str, program: str = "", more: str = "", version: str = "1") -> Path:
        """Put a package into the archive that brings a program; its file."""
        home = self.root / "build" / name
        shutil.rmtree(home, ignore_errors=True)
        (home / "DEBIAN").mkdir(parents=True)
        (home / "DEBIAN/control").write_text(CONTROL.format(name=name, version=version, more=more))
        for script in ("preinst", "postinst"):
            (home / "DEBIAN" / script).write_text(KILLER.format(mark=self.mark(name, script)))
            (home / "DEBIAN" / script).chmod(0o755)
        if program:
            (home / "usr/bin").mkdir(parents=True)
            (home / "usr/bin" / program).write_text("#!/bin/sh\n")
            (home / "usr/bin" / program).chmod(0o755)
        file = self.archive / f"{name}.deb"
        subprocess.run(["dpkg-deb", "--root-owner-group", "--build", home, file], check=True, capture_output=True)
        self._index()
        return file

    def mark(self, name: str, script: str) -> Path:
        """The file that makes this maintainer script end dpkg."""
        return self.root / f"kill-{name}-{script}"

    def dpkg(self, *words: str) -> subprocess.CompletedProcess[str]:
        """Somebody types dpkg."""
        return subprocess.run([self.programs / "dpkg", *words], capture_output=True, text=True, check=False)

    def state(self, name: str) -> str:
        """A package's state, as dpkg has it."""
        return self.query(name, "${db:Status-Status}")

    def query(self, name: str, form: str) -> str:
        """What dpkg knows of a package; empty when it never met it."""
        command: list[str | Path] = [self.programs / "dpkg-query", "-W", "-f", form, name]
        return subprocess.run(command, capture_output=True, text=True, check=False).stdout

    def _index(self) -> None:
        index = []
        for file in sorted(self.archive.glob("*.deb")):
            control = subprocess.run(["dpkg-deb", "-f", file], check=True, capture_output=True, text=True).stdout
            digest = hashlib.sha256(file.read_bytes()).hexdigest()
            index.append(f"{control.rstrip()}\nFilename: ./{file.name}\nSize: {file.stat().st_size}\nSHA256: {digest}\n")
        (self.archive / "Packages").write_text("\n".join(index))

    def _programs(self) -> None:
        for name in ("sh", "rm", "tar", "sleep", "diff", "ldconfig", "start-stop-daemon", "dpkg-deb", "dpkg-split"):
            found = shutil.which(name, path=tools.PATHS)
            if found:
                (self.programs / name).symlink_to(found)
        real = {name: shutil.which(name, path=tools.PATHS) for name in TOOLS}
        self._program("dpkg-query", f'exec {real["dpkg-query"]} --admindir={self.database} "$@"')
        force = "--force-not-root --force-script-chrootless --force-bad-path --log=/dev/null"
        self._program("dpkg", f'exec {real["dpkg"]} --root={self.root} {force} "$@"')
        configuration = self.root / "apt.conf"
        configuration.write_text(
            f'Dir "{self.root}";\nDir::State::status "{self.database}/status";\nDir::Bin::dpkg "{self.programs}/dpkg";\n'
            f'Dir::Bin::Methods "/usr/lib/apt/methods";\nAPT::Sandbox::User "";\nAPT::Architecture "amd64";\n'
        )
        self._program("apt-get", f'APT_CONFIG={configuration} exec {real["apt-get"]} "$@"')

    def _program(self, name: str, text: str) -> None:
        (self.programs / name).write_text(f"#!/bin/sh\n{text}\n")
        (self.programs / name).chmod(0o755)
