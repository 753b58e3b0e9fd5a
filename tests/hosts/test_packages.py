"""Installing packages as a guest, with the real apt and dpkg on a database and an archive of the tests' own."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from fluxstead.hosts.script import apt, packages, tools
from fluxstead.hosts.script.model import DeclaredHost
from fluxstead.hosts.script.packages import BEGUN, begun_packages, install_packages, missing_packages, package_problems
from fluxstead.hosts.script.tools import StepError
from tests.conftest import REPOSITORY

from .debian import TOOLS, Debian

NODE = DeclaredHost("k3s1", None, (), None, ())


@pytest.fixture
def debian(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Debian:
    """A Debian on which nothing is installed, in place of this machine's."""
    absent = [name for name in TOOLS if shutil.which(name, path=tools.PATHS) is None]
    if absent:
        pytest.skip(f"not installed: {', '.join(absent)}")
    made = Debian(tmp_path / "debian")
    monkeypatch.setitem(tools.ENVIRONMENT, "PATH", str(made.programs))
    monkeypatch.setattr(packages, "PATHS", f"{made.root}/usr/bin:{made.programs}")
    monkeypatch.setattr(packages, "RECORDS", str(made.root / "records"))
    monkeypatch.setattr(packages, "BEGUN", str(made.root / "records/packages.json"))
    monkeypatch.setattr(packages, "PACKAGES", {"wanted": "brings-wanted"})
    monkeypatch.setattr(apt, "JOURNAL", str(made.database / "updates"))
    monkeypatch.setattr(apt, "LOCKS", tuple(f"{made.root}{path}" for path in apt.LOCKS))
    return made


@pytest.fixture
def offered(debian: Debian) -> Debian:
    """What the script wants, with what it depends on, and something of others."""
    debian.offer("brings-wanted", "wanted", "Depends: needed\n")
    debian.offer("needed")
    debian.offer("foreign")
    return debian


def left_by_others(debian: Debian) -> None:
    """Somebody's dpkg was ended while it configured a package."""
    debian.mark("foreign", "postinst").touch()
    debian.dpkg("-i", str(debian.archive / "foreign.deb"))
    assert debian.state("foreign") == "half-configured"


def test_what_is_missing_is_installed_with_what_it_needs(offered: Debian) -> None:
    assert missing_packages(NODE) == ["brings-wanted"]
    assert package_problems(NODE) == []
    install_packages(NODE)
    assert (missing_packages(NODE), begun_packages()) == ([], [])
    assert {offered.state(name) for name in ("brings-wanted", "needed")} == {"installed"}
    assert offered.state("foreign") == ""


def test_what_others_left_half_installed_is_named_and_stays_as_it_is(offered: Debian) -> None:
    left_by_others(offered)
    [problem] = package_problems(NODE)
    assert "others began to install are not finished: foreign:all (half-configured)" in problem
    assert "sudo dpkg --configure -a" in problem
    with pytest.raises(StepError, match="foreign:all"):
        install_packages(NODE)
    assert (offered.state("foreign"), offered.state("brings-wanted")) == ("half-configured", "")
    assert begun_packages() == []
    # What is said to type is what helps.
    assert offered.dpkg("--configure", "-a").returncode == 0
    install_packages(NODE)


def test_where_nothing_is_missing_nobody_s_leftovers_matter(offered: Debian) -> None:
    install_packages(NODE)
    left_by_others(offered)
    assert package_problems(NODE) == []
    assert offered.state("foreign") == "half-configured"


@pytest.mark.parametrize("name", ["brings-wanted", "needed"])
@pytest.mark.parametrize("script", ["preinst", "postinst"])
def test_what_a_killed_run_of_ours_began_is_carried_on(name: str, script: str, offered: Debian) -> None:
    offered.mark(name, script).touch()
    with pytest.raises(StepError):
        install_packages(NODE)
    assert {"brings-wanted:all", "needed:all"} == set(begun_packages())
    assert package_problems(NODE) == [], "what is our own is no reason to refuse"
    install_packages(NODE)
    assert (missing_packages(NODE), begun_packages()) == ([], [])
    assert {offered.state(name) for name in ("brings-wanted", "needed")} == {"installed"}


def test_our_own_is_not_carried_on_beside_what_others_left(offered: Debian) -> None:
    """A single `dpkg --configure` would finish both."""
    offered.mark("brings-wanted", "postinst").touch()
    with pytest.raises(StepError):
        install_packages(NODE)
    left_by_others(offered)
    [problem] = package_problems(NODE)
    assert "foreign:all" in problem
    assert "brings-wanted" not in problem
    with pytest.raises(StepError, match="foreign:all"):
        install_packages(NODE)
    assert offered.state("foreign") == "half-configured"


def test_a_dpkg_of_others_that_was_interrupted_between_two_packages_is_theirs(offered: Debian) -> None:
    (offered.database / "updates/0000").touch()
    [problem] = package_problems(NODE)
    assert "dpkg was interrupted while others installed packages" in problem


def test_nothing_is_removed_for_what_is_missing(debian: Debian) -> None:
    debian.offer("precious")
    debian.dpkg("-i", str(debian.archive / "precious.deb"))
    debian.offer("brings-wanted", "wanted", "Conflicts: precious\n")
    with pytest.raises(StepError, match=r"apt would remove precious; nothing was installed.*sudo apt-get install brings-wanted"):
        install_packages(NODE)
    assert (debian.state("precious"), debian.state("brings-wanted")) == ("installed", "")


def test_nothing_is_upgraded_or_cleaned_up_on_the_way(offered: Debian) -> None:
    """Also where the host's own configuration has apt remove what nobody needs."""
    (offered.root / "etc/apt/apt.conf.d/99tidy").write_text('APT::Get::AutomaticRemove "true";\n')
    file = offered.offer("bystander")
    offered.dpkg("-i", str(file))
    (offered.root / "var/lib/apt/extended_states").write_text("Package: bystander\nArchitecture: amd64\nAuto-Installed: 1\n")
    offered.offer("bystander", version="2")
    install_packages(NODE)
    assert offered.query("bystander", "${Version}") == "1"


def test_a_host_without_a_way_to_its_packages_is_told_where_from_and_what_to_do(debian: Debian) -> None:
    with socket.socket() as nobody_listens:
        nobody_listens.bind(("127.0.0.1", 0))
        source = f"http://127.0.0.1:{nobody_listens.getsockname()[1]}/debian"
        debian.sources(f"deb [trusted=yes] {source} stable main")
        with pytest.raises(StepError) as told:
            install_packages(NODE)
        assert f"could not be fetched from {source}/dists/stable/InRelease (Could not connect" in str(told.value)
        assert "sudo apt-get install --no-install-recommends brings-wanted" in str(told.value)


def test_a_host_whose_sources_lack_the_package_is_told_which_they_are(debian: Debian) -> None:
    debian.offer("foreign")
    with pytest.raises(StepError, match=rf"Unable to locate package brings-wanted\. apt's sources are file:{debian.archive}"):
        install_packages(NODE)


def test_a_host_without_apt_is_told_what_to_install(debian: Debian) -> None:
    (debian.programs / "apt-get").unlink()
    [problem] = package_problems(NODE)
    assert problem.endswith("install brings-wanted yourself")


def test_a_program_that_is_gone_although_its_package_is_installed_is_told(offered: Debian) -> None:
    install_packages(NODE)
    (offered.root / "usr/bin/wanted").unlink()
    with pytest.raises(
        StepError, match="wanted is not there though its package is; type: sudo apt-get install --reinstall brings-wanted"
    ):
        install_packages(NODE)


def test_a_broken_record_is_none(offered: Debian) -> None:
    record = offered.root / "records/packages.json"
    record.parent.mkdir()
    for text in ("", "{", "{}", "[1]", "null"):
        record.write_text(text)
        assert begun_packages() == []
    assert BEGUN == "/var/lib/fluxstead/packages.json"
    record.write_text(json.dumps(["gone:all"]))
    install_packages(NODE)
    assert not record.exists()


HOLD = (
    "import fcntl, sys, time; h = open(sys.argv[1], 'r+'); fcntl.lockf(h, fcntl.LOCK_EX); print('held', flush=True); time.sleep({})"
)


def holder(path: Path, seconds: float) -> subprocess.Popen[str]:
    """A process that holds a lock of the package managers."""
    path.touch()
    process = subprocess.Popen([sys.executable, "-c", HOLD.format(seconds), path], stdout=subprocess.PIPE, text=True)
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    return process


@pytest.mark.parametrize("lock", apt.LOCKS)
def test_whoever_holds_a_lock_is_waited_for_and_then_named(lock: str, offered: Debian, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(apt, "LOCKED_SECONDS", 1)
    with holder(Path(f"{offered.root}{lock}"), 600) as process:
        with pytest.raises(StepError, match=rf"dpkg is locked by process {process.pid}, .*python.* -c import fcntl"):
            install_packages(NODE)
        process.kill()
    assert offered.state("brings-wanted") == ""
    install_packages(NODE)


def test_whoever_ends_in_time_holds_nothing_up(offered: Debian, capsys: pytest.CaptureFixture[str]) -> None:
    with holder(Path(apt.LOCKS[0]), 2) as process:
        install_packages(NODE)
        assert process.poll() == 0
    assert offered.state("brings-wanted") == "installed"
    assert f"packages: waiting for process {process.pid}" in capsys.readouterr().err


def test_whoever_takes_a_lock_between_the_look_and_apt_is_waited_for_too(offered: Debian, monkeypatch: pytest.MonkeyPatch) -> None:
    lists = Path(apt.LOCKS[2])
    monkeypatch.setattr(apt, "LOCKS", ())
    with holder(lists, 3):
        install_packages(NODE)
    assert offered.state("brings-wanted") == "installed"


def test_a_package_manager_at_work_is_no_leftover(offered: Debian) -> None:
    """While it works, packages are half-installed."""
    left_by_others(offered)
    with holder(Path(apt.LOCKS[1]), 600) as process:
        assert package_problems(NODE) == []
        process.kill()
    assert len(package_problems(NODE)) == 1


ASK = """
import os, sys
from fluxstead.hosts.script import apt
apt.LOCKS, parent = (sys.argv[1],), os.getppid()
while os.getppid() == parent:
    apt.locked_by()
"""
TAKE = """
import fcntl, sys
handle = open(sys.argv[1], "r+")
for _ in range(3000):
    fcntl.lockf(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    fcntl.lockf(handle, fcntl.LOCK_UN)
"""


def test_to_ask_who_holds_a_lock_takes_none(tmp_path: Path) -> None:
    """Even a lock that is held for a moment would make somebody's apt fail."""
    lock = tmp_path / "lock"
    lock.touch()
    with subprocess.Popen([sys.executable, "-c", ASK, lock], env={**os.environ, "PYTHONPATH": str(REPOSITORY)}) as asking:
        time.sleep(0.5)
        taken = subprocess.run([sys.executable, "-c", TAKE, lock], check=False, capture_output=True)
        assert asking.poll() is None
        asking.kill()
    assert taken.returncode == 0, taken.stderr
