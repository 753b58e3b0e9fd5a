"""Changing for whom secrets are encrypted, in the order that never leaves the cluster unable to decrypt.

A key of the cluster's is added beside the old one, and every file is then for both; the old one is only taken away once what is
committed no longer needs it.
"""

from __future__ import annotations

import base64
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass, replace

from fluxstead.secrets.identities import Describe, cluster_file, hand_over, may_open, write_rules
from fluxstead.secrets.state import Scope, ciphertext_in, files_in
from fluxstead.secrets.tools import ToolTrouble, new_key, recipients_of
from fluxstead.secrets.vault import Vault, values_in


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of one cluster's secrets. Every method says what it did and what comes next. Raises ToolTrouble."""

    scope: Scope
    describe: Describe

    def add(self, recipient: str) -> Iterator[str]:
        """Another person."""
        people = tuple(dict.fromkeys((*self.scope.settings.people, recipient)))
        yield from self._become(people, self.scope.settings.cluster)
        yield "next: commit and push; that person then needs only a clone"

    def add_cluster(self) -> Iterator[str]:
        """A new key for the cluster beside the old one."""
        vault, path, settings = Vault(self.scope), cluster_file(self.scope), self.scope.settings
        text = vault.text(path)
        if text is None:
            raise ToolTrouble(f"there is no {path}: ./run secrets init")
        held = {one: name for name, key in values_in(vault.own.opened(text)).items() for one in recipients_of(key)}
        recipient = next((one for one in held if one not in settings.cluster), None)  # of an interrupted run
        if recipient is None:
            key, recipient = new_key()
            name = next(name for number in range(2, len(held) + 3) if (name := f"age-{number}.agekey") not in held.values())
            vault.write({path: vault.own.changed(text, {name: "data"}, {name: base64.b64encode(key.encode()).decode()})})
            yield f"made a key for the cluster, {recipient}, in {path}"
        yield from self._become(settings.people, (*settings.cluster, recipient))
        yield f"next: {hand_over(self.scope)}"
        yield "then: commit, push, and wait until Flux has applied the commit"
        yield f"then: ./run secrets recipients remove {settings.cluster[0] if settings.cluster else 'the old key'}"

    def remove(self, recipient: str) -> Iterator[str]:
        """Take one away. It knows what it could read: those values have to change where they are used."""
        settings = self.scope.settings
        people = tuple(one for one in settings.people if one != recipient)
        machines = tuple(one for one in settings.cluster if one != recipient)
        if recipient not in settings.recipients:
            raise ToolTrouble(f"{recipient} is no recipient: ./run secrets recipients lists them")
        if not may_open(people):
            raise ToolTrouble("nobody on this machine could read a secret any more: let another person remove this key")
        if recipient in settings.cluster:
            self._still_decrypts(machines)
        yield from self._become(people, machines, rotate=True)
        if recipient in settings.cluster:
            self._forget(recipient)
            yield "next: commit, push, and wait until Flux has applied the commit"
            yield f"then: {hand_over(self.scope)}"
        else:
            yield "next: commit and push"
        yield "whoever has that key still knows what former commits hold; change it where it is used, then by ./run secrets set:"
        yield from (f"    {path}" for path in files_in(self.scope))

    def update(self) -> Iterator[str]:
        """Bring every file to what the description says."""
        yield from self._become(self.scope.settings.people, self.scope.settings.cluster)

    def _become(self, people: tuple[str, ...], machines: tuple[str, ...], *, rotate: bool = False) -> Iterator[str]:
        settings = self.scope.settings.model_copy(update={"people": people, "cluster": machines})
        vault = Vault(replace(self.scope, settings=settings))
        texts: dict[str, str | None] = {}
        for path, sops, wanted in (
            *((path, vault.sops, settings.recipients) for path in files_in(self.scope)),
            *((path, vault.own, frozenset(people)) for path in vault.operators()),
        ):
            text = vault.text(path) or ""
            found = ciphertext_in(text, path)
            if found and found.sops and found.sops.recipients != wanted:
                texts[path] = sops.rewrapped(text, rotate=rotate)
        if texts:
            vault.write(texts)
        for path in texts:
            yield f"encrypted anew: {path}"
        write_rules(self.scope, people, machines)
        if (people, machines) != (self.scope.settings.people, self.scope.settings.cluster):
            self.describe("secrets", {"people": people, "cluster": machines})
            yield "wrote the recipients into the description"

    def _still_decrypts(self, machines: tuple[str, ...]) -> None:
        """Whether the cluster decrypts what is committed, and so what Flux has, with the keys that stay."""
        if not machines:
            raise ToolTrouble("the cluster would have no key: ./run secrets recipients add --cluster, first")
        for commit in ("HEAD", "@{upstream}"):
            for path in files_in(self.scope):
                text = self._committed(commit, path)
                found = ciphertext_in(text, path) if text else None
                if found and found.sops and not found.sops.recipients & set(machines):
                    raise ToolTrouble(
                        f"in {commit}, {path} is for none of the keys that stay: commit and push what"
                        " `recipients add --cluster` wrote, and wait until Flux has applied it"
                    )

    def _committed(self, commit: str, path: str) -> str | None:
        done = subprocess.run(  # noqa: S603 -- git, as everywhere
            ["git", "-C", str(self.scope.root), "show", f"{commit}:./{path}"],  # noqa: S607
            capture_output=True,
            text=True,
            check=False,
        )
        return done.stdout if done.returncode == 0 else None

    def _forget(self, recipient: str) -> None:
        vault, path = Vault(self.scope), cluster_file(self.scope)
        text = vault.text(path)
        if text is None:
            return
        keys = values_in(vault.own.opened(text))
        gone = [name for name, key in keys.items() if recipient in recipients_of(key)]
        vault.write({path: vault.own.changed(text, dict.fromkeys(gone, "data"), dict.fromkeys(gone))})
