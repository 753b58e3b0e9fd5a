"""An operator's clone, the repository that Flux reads, and a Flux, played: it fetches and applies a while after it was asked.

The repositories are real. The project is small: `nodes/a.yaml` is the description, and two layers are made of it.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from fluxstead.live.changes import Amendment, FileChange, GitWay, Whereto
from fluxstead.live.clone import Clone, Said
from fluxstead.live.committed import committed
from fluxstead.live.flux import LAYERS, SOURCES
from fluxstead.live.procedure import Outcome, Step, Stopped
from fluxstead.live.running import run
from fluxstead.tree.delivery import Desired, deliver, look
from fluxstead.tree.staging import replace_files
from tests.live.memory import Hours, Json, MemoryApi
from tests.live.world import condition

FLUX = "flux-system"
MACHINE = "nodes/a.yaml"
TEXT = "# the machine\ncolour: red # as it came\nsize: 1\n"
WORDS = "paint a blue"
FETCHES, APPLIES = 5, 10


def git(folder: Path, *words: str) -> str:
    done = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True, check=True)
    return done.stdout.strip()


class Small:
    """The project's files: one layer has the colour, another one the rest."""

    description: Sequence[str] = (MACHINE, "stack.yaml")
    generated: Sequence[str] = ("generated/home", "clusters/home/tree.yaml")

    def __init__(self, root: Path) -> None:
        self._root = root
        self.before: Callable[[str], None] = lambda _: None

    def _desired(self) -> Desired:
        lines = dict(line.split("#")[0].strip().split(": ") for line in (self._root / MACHINE).read_text().splitlines()[1:])
        files = {"colour/one.yaml": f"colour: {lines['colour']}\n", "rest/one.yaml": f"size: {lines['size']}\n"}
        if lines["colour"] == "blue":
            files["colour/two.yaml"] = "also: blue\n"
        if lines["colour"] == "green":
            raise Stopped("the description would have errors: nothing is green (nodes/a.yaml:2)", "another colour")
        return Desired(self._root, "home", "generated/home", "", files, overwrite=False, say=str)

    def look(self) -> None:
        found = look(self._desired())
        if not found.nothing_to_do:
            raise Stopped(f"the tree is not what the description says ({found.summary()[0]})", "./run render")

    def write(self, texts: Mapping[str, str]) -> None:
        self.before("write")
        replace_files({self._root / path: text for path, text in texts.items()})
        self.before("written")

    def render(self) -> None:
        self.before("render")
        found = deliver(self._desired())
        if found.findings:
            raise Stopped(found.findings[0].what, found.findings[0].fix)
        self.before("rendered")


class CountedClone(Clone):
    """Each git that is run may be the last."""

    before: Callable[[str], None] = staticmethod(lambda _: None)

    def git(self, *arguments: str, paths: Sequence[str] | None = None, seconds: int = 60) -> Said:
        self.before(f"git {arguments[0]}")
        said = super().git(*arguments, paths=paths, seconds=seconds)
        self.before(f"after git {arguments[0]}")
        return said


class Free:
    """Nobody else is at work."""

    def check(self) -> None:
        pass


def painted(colour: str) -> Amendment:
    """The machine gets a colour."""
    edit = FileChange(lambda text: re.sub(r"colour: \w+", f"colour: {colour}", text), lambda text: f"colour: {colour}" in text)
    why = "so it is found"
    return Amendment(f"a is {colour}", why, "paint it red", f"Paint a {colour}\n\nSo it is found.", {MACHINE: edit})


class World:
    """One clone, one remote, one Flux."""

    def __init__(self, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        for name in [name for name in os.environ if name.startswith("GIT_")]:
            monkeypatch.delenv(name)
        settings = folder / "gitconfig"
        settings.write_text("[user]\nname = a\nemail = a@example.test\n[init]\ndefaultBranch = main\n")
        monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(settings))
        monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
        self.remote, self.root, self.colleague = folder / "remote.git", folder / "project", folder / "colleague"
        git(folder, "init", "--quiet", "--bare", str(self.remote))
        git(folder, "clone", "--quiet", str(self.remote), str(self.root))
        self.written = Small(self.root)
        (self.root / "nodes").mkdir()
        (self.root / MACHINE).write_text(TEXT)
        (self.root / "stack.yaml").write_text("a: 1\n")
        (self.root / "notes.txt").write_text("mine\n")
        self.written.render()
        git(self.root, "add", "--all")
        git(self.root, "commit", "--quiet", "--message=first")
        git(self.root, "push", "--quiet", "--set-upstream", "origin", "HEAD")
        git(folder, "clone", "--quiet", str(self.remote), str(self.colleague))
        self.clone = CountedClone(self.root)
        self.api = MemoryApi()
        self.clock = Hours(self._pass)
        self.refusals: dict[str, str] = {}
        self.fetches = True
        self._flux()

    def _flux(self) -> None:
        spec: Json = {"url": str(self.remote), "ref": {"branch": "main"}}
        self._asked: dict[str, float] = {}
        self.api.put(SOURCES, {"metadata": {"name": FLUX, "namespace": FLUX, "generation": 1}, "spec": spec})
        of = {"kind": "GitRepository", "name": FLUX}
        for name, path in ((FLUX, "clusters/home"), ("colour", "generated/home/colour"), ("rest", "./generated/home/rest/")):
            self.api.put(
                LAYERS, {"metadata": {"name": name, "namespace": FLUX, "generation": 1}, "spec": {"path": path, "sourceRef": of}}
            )
        self.settle()

    def settle(self) -> None:
        """Flux has applied what is pushed."""
        for resource, names in ((SOURCES, [FLUX]), (LAYERS, [FLUX, "colour", "rest"])):
            for name in names:
                self._apply(resource, name, self.tip)

    @property
    def tip(self) -> str:
        """What is pushed."""
        return git(self.remote, "rev-parse", "main")

    @property
    def head(self) -> str:
        """What is committed here."""
        return git(self.root, "rev-parse", "HEAD")

    def flux(self, resource: Any, name: str) -> Json:
        """An object of Flux's."""
        return self.api.objects[(f"{resource.base}/{resource.plural}", FLUX, name)]

    def _apply(self, resource: Any, name: str, commit: str) -> None:
        revision = f"main@sha1:{commit}"
        refused = self.refusals.get(name, "")
        ready = condition("Ready", "False", reason="ReconciliationFailed", message=refused) if refused else condition("Ready")
        obj = self.flux(resource, name)
        if resource == SOURCES:
            obj["status"] = {"artifact": {"revision": revision}, "conditions": [ready]}
            return
        before = obj.get("status", {}).get("lastAppliedRevision", "")
        obj["status"] = {
            "lastAttemptedRevision": revision,
            "lastAppliedRevision": before if refused else revision,
            "conditions": [ready],
        }

    def _pass(self, now: float) -> None:
        """Flux fetches what it was asked for, and a layer applies what was fetched."""
        source = self.api.objects.get((f"{SOURCES.base}/{SOURCES.plural}", FLUX, FLUX))
        annotations = source["metadata"].get("annotations", {}) if source else {}
        asked = annotations.get("reconcile.fluxcd.io/requestedAt")
        if asked and asked not in self._asked:
            self._asked = {asked: now}
        if asked and now >= self._asked[asked] + FETCHES and FLUX not in self.refusals:
            self._apply(SOURCES, FLUX, self.tip)
        if asked and now >= self._asked[asked] + APPLIES:
            fetched = self.flux(SOURCES, FLUX)["status"]["artifact"]["revision"].rpartition(":")[2]
            for name in (FLUX, "colour", "rest"):
                self._apply(LAYERS, name, fetched)

    def steps(self, colour: str = "blue") -> Sequence[Step]:
        """Of a change."""
        api: Any = self.api
        place = Whereto(self.clone, self.written, "main", WORDS)
        return committed(GitWay(place, api, self.clock, self.fetches), painted(colour))

    def paint(self, colour: str = "blue", said: list[str] | None = None) -> list[Outcome]:
        """Carry the change out."""
        lines = said if said is not None else []
        return run(self.steps(colour), Free(), lines.append, self.clock)

    def refused(self, colour: str = "blue") -> tuple[str, str]:
        """Why it stops, and what to type."""
        last = self.paint(colour)[-1]
        assert not last.well
        return last.standing.says, last.standing.do

    def push_meanwhile(self, file: str = "notes.txt", text: str = "theirs\n") -> str:
        """A colleague's commit; gives it."""
        git(self.colleague, "pull", "--quiet")
        (self.colleague / file).write_text(text)
        git(self.colleague, "add", "--all")
        git(self.colleague, "commit", "--quiet", "--message=theirs")
        git(self.colleague, "push", "--quiet")
        return git(self.colleague, "rev-parse", "HEAD")

    def changed(self) -> list[str]:
        """What is not as committed, in the index and on the disk."""
        done = subprocess.run(["git", "-C", str(self.root), "status", "--porcelain"], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()
