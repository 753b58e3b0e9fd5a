"""Builds the real tools of the deeper tests from pinned Go modules, once per content.

Releases of these tools lie in places that not every machine may reach; Go modules come
through whatever proxy `go` is set up for, and `go.sum` checks them. A test says
`tool("kustomize")`, a person `python tests/e2e/tools/build.py kustomize helm`.

To change a version: `go get -tool <package>@<version>` in the tool's folder.
"""

import argparse
import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path

HERE = Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[2]))  # also when it is run by its path

from tests.e2e.tools import lego  # noqa: E402
from tests.e2e.tools.flux_manifests import copy_of, lay_out  # noqa: E402

LOG_LINES_SHOWN = 20

# Whatever the caller's environment and this repository's state are, the same content gives the same binary:
# no C compiler, no workspace above, no commit stamped in, no change to go.mod.
PINNED_ENVIRONMENT = {
    "CGO_ENABLED": "0",
    "GOWORK": "off",
    "GOFLAGS": "-mod=readonly -buildvcs=false -trimpath",
}


class ToolUnavailable(Exception):
    """Nothing can be built on this machine; the message is one sentence to show with the skip."""


class BuildFailedError(Exception):
    """Go is here and the build broke: never a reason to skip, or a broken pin would pass as one."""


@dataclass(frozen=True)
class Recipe:
    """What a tool needs beyond its go.mod, which alone names the package and the versions."""

    takes: str
    variables: tuple[str, ...] = ()
    """Go variables set at link time, as `<path>=<value>`; see `Pin` for what may stand in braces."""
    tags: str = ""
    beside: tuple[str, ...] = ()
    """Files of the module, by pattern, that belong into the binary's own folder."""
    pinned_in: str = ""
    """Folder of the go.mod, where several tools share one; the tool's own name otherwise."""
    manifests_of: tuple[str, ...] = ()
    """Tools whose modules' manifests are built in; see flux_manifests.py. It is then built as the main module of a copy."""
    cgo: bool = False
    """Whether it needs a C compiler."""
    beside_lego: str = ""
    """The module, with its version, of which the tool takes a copy that lacks parts; see lego.py."""


PULUMI_VERSION = "github.com/pulumi/pulumi/sdk/v3/go/common/version.Version=v{version}"

KUBERNETES = (
    "k8s.io/component-base/version.gitVersion=v{version}",
    "k8s.io/component-base/version.gitMajor=1",
    "k8s.io/component-base/version.gitMinor={kubernetes}",
)
"""Unset, an API server says v0.0.0, and charts refuse it."""
AS_IN_K3S = (KUBERNETES[0] + "+k3s1", *KUBERNETES[1:])
"""A node says of k3s which release it runs. Releases of as many letters are put in this one's place in the binary."""
CRDS = ("config/crd/bases/*.yaml",)

RECIPES = {
    "pulumi": Recipe("about 5 min", (PULUMI_VERSION,), tags="osusergo grpcnotrace"),
    # sdk/v3 v3.79.0 is the last tagged module that holds the language host; it serves newer engines too.
    "pulumi-language-python": Recipe(
        "about 20 s",
        (PULUMI_VERSION,),
        beside=("python/cmd/pulumi-language-python-exec", "python/dist/pulumi-resource-pulumi-python"),
    ),
    # v5.8.1 has the kustomize API (v0.21.1) of the Flux that the tests run, so both read a tree alike.
    "kustomize": Recipe("about 15 s"),
    # Unset, helm takes the cluster for Kubernetes 1.20 and refuses charts that ask for more.
    "helm": Recipe(
        "about 75 s",
        (
            "helm.sh/helm/v3/internal/version.version=v{version}",
            "helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor={kubernetes}",
            "helm.sh/helm/v3/pkg/lint/rules.k8sVersionMinor={kubernetes}",
        ),
    ),
    # v0.305.0 is Prometheus 3.5, which reads whatever the versions of the monitoring stack from 75 on read.
    "promtool": Recipe("about 60 s"),
    "etcd": Recipe("about 40 s"),
    # Takes copies of etcd apart by the library by which k3s restores them.
    "etcdutl": Recipe("about 30 s"),
    # A release of the time of k3s v1.33; which one that k3s has in it was not looked up. SQLite itself is C.
    "kine": Recipe("about 3 min", cgo=True),
    "kube-apiserver": Recipe("about 7 min", KUBERNETES, pinned_in="kubernetes"),
    "kube-controller-manager": Recipe("about 90 s", KUBERNETES, pinned_in="kubernetes"),
    "kube-scheduler": Recipe("about 10 s", KUBERNETES, pinned_in="kubernetes"),
    "kubectl": Recipe("about 35 s", KUBERNETES, pinned_in="kubernetes"),
    "kubelet": Recipe("about 7 min", AS_IN_K3S, pinned_in="kubernetes"),
    "kube-proxy": Recipe("about 30 s", KUBERNETES, pinned_in="kubernetes"),
    # Each folder repeats the `replace` lines of the controller's own go.mod: Go reads those of the main module only.
    "source-controller": Recipe("about 6 min", beside=CRDS),
    "kustomize-controller": Recipe("about 4 min", beside=CRDS),
    "helm-controller": Recipe("about 3 min", beside=CRDS),
    # What the pods of the tests run; it lies beside its go.mod, and needs Go's own library alone.
    "pod": Recipe("about 10 s"),
    "flux": Recipe(
        "about 3 min", ("main.VERSION={version}",), manifests_of=("source-controller", "kustomize-controller", "helm-controller")
    ),
    # Its module has the controllers and no command; the one here starts those of issuers and certificates, without a webhook.
    "cert-manager-controller": Recipe("about 7 min"),
    # Its module lacks a part that a folder here has, and what nobody's own page needs: its dashboard.
    "traefik": Recipe(
        "about 4 min",
        ("github.com/traefik/traefik/v3/pkg/version.Version={version}",),
        beside_lego="github.com/go-acme/lego/v5@v5.4.1",
    ),
    "pebble": Recipe("about 20 s"),
    "oauth2-proxy": Recipe("about 1 min", ("github.com/oauth2-proxy/oauth2-proxy/v7/pkg/version.VERSION=v{version}",)),
    "kwok": Recipe("about 3 min", beside=("kustomize/stage/*/fast/*-*.yaml", "kustomize/stage/node/heartbeat-with-lease/*-*.yaml")),
}


@dataclass(frozen=True)
class Pin:
    """The package that a go.mod names as its tool, the versions it pins and the Go it asks for."""

    package: str
    module: str
    version: str
    go: str
    kubernetes: str
    """Minor version of Kubernetes that the pinned client library is of; empty without one."""


def tool(name: str) -> Path:
    """Return the binary of `name`; builds it when this content was never built here."""
    go = shutil.which("go")
    if go is None:
        msg = f"{name} is built from Go modules and there is no `go` on PATH."
        raise ToolUnavailable(msg)
    entry = _cache() / f"{name}-{_key(name, _compiler(go, name))}"
    binary = entry / name
    if not binary.is_file():
        entry.parent.mkdir(parents=True, exist_ok=True)
        with _lock(entry.parent / f"{name}.lock", name):
            if not binary.is_file():  # the builder waited for may have made it
                _build(go, name, entry)
    return binary


def _cache() -> Path:
    base = os.environ.get("FLUXSTEAD_CACHE") or os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser().absolute() / "fluxstead" / "tools"


def _key(name: str, compiler: str) -> str:
    """Hash all that decides the binary, so that a changed pin, flag or compiler never meets an old build."""
    digest = hashlib.sha256()
    own = sorted(_folder(name).rglob("*.go"))
    for part in (
        *(file.read_text() for file in (_folder(name) / "go.mod", _folder(name) / "go.sum", *own) if file.exists()),
        compiler,
        repr((_flags(name), RECIPES[name].beside, PINNED_ENVIRONMENT)),
        *(["cgo"] if RECIPES[name].cgo else []),
        *([RECIPES[name].beside_lego, (HERE / "lego.py").read_text()] if RECIPES[name].beside_lego else ()),
        *((HERE / other / "go.mod").read_text() for other in RECIPES[name].manifests_of),
    ):
        digest.update(part.encode() + b"\0")
    return digest.hexdigest()[:16]


def _compiler(go: str, name: str) -> str:
    """Ask in the tool's folder, where a newer Go answers if this one is set to fetch what go.mod wants."""
    said = _go(go, _folder(name), "env", "GOVERSION", "GOOS", "GOARCH")
    if said.returncode:
        msg = f"{name} cannot be built because `go` does not run here: {said.stderr.strip()}"
        raise ToolUnavailable(msg)
    wanted = _pin(name).go
    if _numbers(said.stdout) < _numbers(wanted):
        msg = f"{name} needs Go {wanted} or newer to build and this machine has {said.stdout.split()[0]}."
        raise ToolUnavailable(msg)
    return said.stdout


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(number) for number in re.findall(r"\d+", version.partition("\n")[0]))


def _folder(name: str) -> Path:
    return HERE / (RECIPES[name].pinned_in or name)


def _pin(name: str) -> Pin:
    text = (_folder(name) / "go.mod").read_text()
    (go,) = re.findall(r"^go (\S+)$", text, re.MULTILINE)
    tools: list[str] = re.findall(r"^(?:tool |\t)([^\s(]+)$", text, re.MULTILINE)
    if not tools:
        return Pin(".", "", "of the tests' own", go, "")
    (package,) = tools if len(tools) == 1 else (one for one in tools if one.endswith(f"/{name}"))
    pins: dict[str, str] = dict(re.findall(r"^(?:require |\t)(\S+) v(\S+)", text, re.MULTILINE))
    module = max((path for path in pins if f"{package}/".startswith(f"{path}/")), key=len)
    client = pins.get("k8s.io/client-go", "0.")
    return Pin(package, module, pins[module], go, client.split(".")[1])


def _flags(name: str) -> tuple[str, ...]:
    pin, recipe = _pin(name), RECIPES[name]
    variables = (text.format(version=pin.version, kubernetes=pin.kubernetes) for text in recipe.variables)
    return ("-tags", recipe.tags, "-ldflags", " ".join(["-s -w", *(f"-X {text}" for text in variables)]))


def _build(go: str, name: str, entry: Path) -> None:
    """Build beside `entry` and rename, so that a broken-off build is never taken for a tool."""
    pin, started = _pin(name), time.monotonic()
    _sweep(name, entry.parent)
    _say(f"building {name} {pin.version} ({RECIPES[name].takes}, once)")
    with tempfile.TemporaryDirectory(prefix=f"{entry.name}.", dir=entry.parent) as scratch:
        made = Path(scratch) / "made"
        made.mkdir()
        _compile(go, name, _laid_out(go, name, Path(scratch) / "module"), made / name, entry.with_name(f"{entry.name}.log"))
        _copy_beside(go, name, made)
        shutil.rmtree(entry, ignore_errors=True)  # one that lost its binary
        made.rename(entry)
    _say(f"built {name} in {time.monotonic() - started:.0f} s")


def _sweep(name: str, folder: Path) -> None:
    """Remove what builds of this tool left that were killed: the lock is held, so none is at work there."""
    left = re.compile(rf"{re.escape(name)}-[0-9a-f]{{16}}\.[^.]+")
    for scratch in folder.iterdir():
        if scratch.is_dir() and left.fullmatch(scratch.name):
            shutil.rmtree(scratch, ignore_errors=True)


def _laid_out(go: str, name: str, folder: Path) -> Path:
    """Where the tool is built: in its own folder, or in `folder`, with what it needs beside it."""
    recipe = RECIPES[name]
    if recipe.manifests_of:
        # Its go.mod and go.sum are then its module's own, as published.
        copy_of(_module(go, name), folder)
        lay_out(folder, {other: _module(go, other) for other in recipe.manifests_of}, tool("kustomize"))
    elif recipe.beside_lego:
        lego.lay_out(_downloaded(go, name, recipe.beside_lego), _folder(name), folder)
    else:
        return _folder(name)
    return folder


def _compile(go: str, name: str, folder: Path, binary: Path, log: Path) -> None:
    if RECIPES[name].cgo and not shutil.which("gcc"):
        msg = f"{name} is built with a C compiler and there is no `gcc` on PATH."
        raise ToolUnavailable(msg)
    done = _go(go, folder, "build", *_flags(name), "-o", str(binary), _pin(name).package, log=log, cgo=RECIPES[name].cgo)
    if done.returncode:
        tail = "\n".join(log.read_text(errors="replace").splitlines()[-LOG_LINES_SHOWN:])
        msg = f"{name} {_pin(name).version} did not build; the end of {log}:\n{tail}"
        raise BuildFailedError(msg)


def _copy_beside(go: str, name: str, folder: Path) -> None:
    if not RECIPES[name].beside:
        return
    module = _module(go, name)
    for file in (file for pattern in RECIPES[name].beside for file in sorted(module.glob(pattern))):
        copy = folder / file.name
        shutil.copyfile(file, copy)
        copy.chmod(0o755)  # Go's module cache drops the executable bit


def _module(go: str, name: str) -> Path:
    """Where the tool's module lies, as it was published."""
    pin = _pin(name)
    return _downloaded(go, name, f"{pin.module}@v{pin.version}")


def _downloaded(go: str, name: str, module: str) -> Path:
    said = _go(go, _folder(name), "mod", "download", "-json", module)
    return Path(json.loads(said.stdout)["Dir"])


def _go(go: str, folder: Path, *arguments: str, log: Path | None = None, cgo: bool = False) -> subprocess.CompletedProcess[str]:
    """Run `go` in a module; the output goes to `log`, or back to the caller without one."""
    with log.open("w") if log else nullcontext(subprocess.PIPE) as out:
        return subprocess.run(
            (go, *arguments),
            cwd=folder,
            env=os.environ | PINNED_ENVIRONMENT | ({"CGO_ENABLED": "1"} if cgo else {}),
            check=False,
            stdout=out,
            stderr=out,
            text=True,
        )


@contextmanager
def _lock(path: Path, name: str) -> Iterator[None]:
    """Let one builder work while the others wait; the kernel frees the lock however the holder ends."""
    with path.open("w") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            _say(f"waiting for another build of {name}")
            fcntl.flock(held, fcntl.LOCK_EX)
        yield


def _say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def main() -> int:
    """Print one `name path` line per tool asked for."""
    parser = argparse.ArgumentParser(description="Build the real tools of the deeper tests and print their paths.")
    parser.add_argument("names", nargs="+", choices=RECIPES, metavar="name", help=", ".join(RECIPES))
    try:
        for name in parser.parse_args().names:
            sys.stdout.write(f"{name} {tool(name)}\n")
            sys.stdout.flush()  # whoever reads may start before the next build ends
    except (ToolUnavailable, BuildFailedError) as failure:
        _say(str(failure))
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
