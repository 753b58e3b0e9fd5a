"""From bare hosts to the first sync and beyond, with the real k3s, Longhorn, charts, images and Pulumi plugins."""

from __future__ import annotations

import argparse
import shutil
import socket
import subprocess
import sys
import tempfile
from pathlib import Path

from tests.e2e.cluster.web import git_of, serving
from tests.real.needed import missing
from tests.real.person import NotDone, Person, PhaseClock
from tests.real.project import STACK, described, given_its_secrets, made, pushed
from tests.real.proof import RunningCluster, secret_values, spilled, texts_of

MACHINES = FIRST, SECOND = "one", "two"
BACK = """
The hosts keep what was done. docs/tasks/destroy.md, "Take a machine back", says how each is as it was."""
UP = ("pulumi", "up", "--yes", "--skip-preview", "--non-interactive")


def main() -> int:
    """Go the whole way, and give the exit status."""
    options = arguments().parse_args()
    lacking = list(missing())
    if lacking:
        print("\n".join(["missing on this machine:", *(f"  {line}" for line in lacking)]), file=sys.stderr)
        return 2
    scratch, clock, status = Path(tempfile.mkdtemp(prefix="fluxstead-real-")), PhaseClock(), 1
    try:
        go(options, scratch, clock)
        status = 0
    except NotDone as problem:
        print(f"\nNOT DONE: {problem}", file=sys.stderr)
    except KeyboardInterrupt:
        print("\ninterrupted", file=sys.stderr)
    finally:
        print(f"\n{clock}")
        if options.keep:
            print(f"kept, with the keys in it: {scratch}")
        else:
            shutil.rmtree(scratch, ignore_errors=True)
        print(BACK)
    return status


def arguments() -> argparse.ArgumentParser:
    """What it takes."""
    parser = argparse.ArgumentParser(prog="tests/real/run", description=__doc__)
    parser.add_argument(
        "hosts", nargs="+", metavar="USER@HOST", help="a Debian or Ubuntu with blank disks; a second one joins the first"
    )
    parser.add_argument("--port", type=int, metavar="N", help="sshd's port on both")
    parser.add_argument("--here", metavar="ADDRESS", help="this machine's, as the hosts reach it (found out by default)")
    parser.add_argument("--keep", action="store_true", help="leave the project, the state and the keys where they were made")
    return parser


def go(options: argparse.Namespace, scratch: Path, clock: PhaseClock) -> None:
    """All phases. Raises NotDone."""
    if len(options.hosts) > len(MACHINES):
        raise NotDone("one host, or two")
    folders = {name: scratch / name for name in ("home", "project", "state", "served")}
    for folder in folders.values():
        folder.mkdir()
    person = Person(folders["home"], folders["project"], folders["state"])
    here = options.here or this_machine(options.hosts[0])
    with serving(git_of(folders["served"]), (here, 0)) as port:
        reached(options, here, port)
        with clock.phase("project and its Python packages"):
            made(person, folders["served"], f"http://{here}:{port}")
            person.types("./run", "--version")
        with clock.phase("description"):
            described(person, FIRST, "server", options.hosts[0], options.port)
            person.types("./run", "upgrade", "kubernetes", "--lock")
            person.types("./run", "upgrade", "flux")
            person.types("pulumi", "stack", "init", STACK, "--non-interactive")
        with clock.phase("secrets"):
            given_its_secrets(person)
        with clock.phase("check, render, commit, push"):
            person.types("./run", "render")
            person.types("./run", "check", "--online")
            revision = pushed(person, "A cluster of one machine")
        with clock.phase("preview, which dials nobody"):
            person.types("pulumi", "preview", "--non-interactive")
        with clock.phase("up: bare host to first sync"):
            person.types(*UP)
        cluster = RunningCluster(person, STACK)
        with clock.phase("every layer Ready, by kubectl"):
            print(f"{cluster.until_ready([FIRST], revision)} layers")
        with clock.phase("a volume is written and read"):
            cluster.keeps_a_volume()
        rests(person, clock)
        if options.hosts[1:]:
            joins(options, person, cluster, clock)
        with clock.phase("kubeconfig"):
            person.types("./run", "kubeconfig")
        with clock.phase("no secret in state and output"):
            found = spilled(secret_values(person), {"the output": person.said.encode(), **texts_of(person.state)})
            if found:
                raise NotDone("\n".join(found))


def rests(person: Person, clock: PhaseClock) -> None:
    """A second `up` has nothing to do."""
    with clock.phase("a second up, which changes nothing"):
        person.types(*UP, "--expect-no-changes")


def joins(options: argparse.Namespace, person: Person, cluster: RunningCluster, clock: PhaseClock) -> None:
    """A second machine: one file and the same command; then the tree that it wrote is pushed."""
    with clock.phase("up: a second host joins"):
        described(person, SECOND, "agent", options.hosts[1], options.port)
        person.types(*UP)
    with clock.phase("its commit, until every layer is Ready"):
        revision = pushed(person, "A second machine")
        cluster.until_ready([FIRST, SECOND], revision)
    rests(person, clock)


def this_machine(destination: str) -> str:
    """The address of this machine from which packets go to a host; nothing is sent. Raises NotDone."""
    told = subprocess.run(["ssh", "-G", "--", destination], capture_output=True, text=True, check=False).stdout
    host = next((line.removeprefix("hostname ") for line in told.splitlines() if line.startswith("hostname ")), "")
    try:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((host, 9))
            address: str = probe.getsockname()[0]
    except OSError as problem:
        raise NotDone(f"no way to {host or destination} ({problem}); --here ADDRESS says where this machine is") from None
    return address


def reached(options: argparse.Namespace, here: str, port: int) -> None:
    """Whether the hosts reach the Git server here, as Flux has to. Raises NotDone."""
    way = ("-p", str(options.port)) if options.port else ()
    for destination in options.hosts:
        look = f"timeout 10 bash -c '</dev/tcp/{here}/{port}'"
        words = ["ssh", "-o", "BatchMode=yes", *way, "--", destination, look]
        done = subprocess.run(words, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
        if done.returncode:
            raise NotDone(
                f"{destination} does not reach {here}, where this run serves Git (a firewall, or NAT; --here ADDRESS, if it is"
                f" another one), or does not let you in. ssh said: {done.stderr.strip() or 'nothing'}"
            )


if __name__ == "__main__":
    sys.exit(main())
