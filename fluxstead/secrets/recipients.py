"""Changing for whom secrets are encrypted, in the order that never leaves the cluster unable to decrypt.

A key of the cluster's is added beside the old one, and every file is then for both; the old one is only taken away once neither
what is committed nor the cluster itself needs it any more.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from fluxstead.secrets.ciphertext import ciphertext_in, other_keys
from fluxstead.secrets.handed_over import still_decrypts
from fluxstead.secrets.identities import Describe, cluster_file, hand_over, opens, refuse_shared, rules_of
from fluxstead.secrets.state import Scope, files_in
from fluxstead.secrets.tools import ToolTrouble, new_key, recipients_of
from fluxstead.secrets.vault import Vault, texts_in


@dataclass(frozen=True, slots=True)
class Recipients:
    """The recipients of one cluster's secrets. Every method says what it did and what comes next. Raises ToolTrouble.

    `sure`: a person knows that the cluster has the key that stays, and Flux what is encrypted for it, where neither can be asked.
    """

    scope: Scope
    describe: Describe
    sure: bool = False

    def add(self, recipient: str) -> Iterator[str]:
        """Another person."""
        refuse_shared([recipient], (*self.scope.settings.cluster, *self._of_the_cluster()))
        people = tuple(dict.fromkeys((*self.scope.settings.people, recipient)))
        yield from self._become(people, self.scope.settings.cluster)
        yield "next: commit and push; that person then needs only a clone"

    def add_cluster(self) -> Iterator[str]:
        """A new key for the cluster beside the old one."""
        vault, path, settings = Vault(self.scope), cluster_file(self.scope), self.scope.settings
        text = vault.text(path)
        if text is None:
            raise ToolTrouble(f"there is no {path}: ./run secrets init")
        held = {one: name for name, key in texts_in(vault.own.opened(text)).items() for one in recipients_of(key)}
        recipient = next((one for one in held if one not in settings.cluster), None)  # of an interrupted run
        if recipient is None:
            key, recipient = new_key()
            name = next(name for number in range(2, len(held) + 3) if (name := f"age-{number}.agekey") not in held.values())
            vault.write({path: vault.own.changed(text, [("data", name, base64.b64encode(key.encode()).decode())])})
            yield f"made a key for the cluster, {recipient}, in {path}"
        yield from self._become(settings.people, (*settings.cluster, recipient))
        yield f"next: {hand_over(self.scope)}"
        yield "then: commit, push, and wait until Flux has applied the commit"
        yield f"then: ./run secrets recipients remove {settings.cluster[0] if settings.cluster else 'the old key'}"

    def remove(self, recipient: str) -> Iterator[str]:
        """Take one away. It knows what it could read: those values have to change where they are used."""
        settings = self.scope.settings
        if recipient not in settings.recipients:
            raise ToolTrouble(f"{recipient} is no recipient: ./run secrets recipients lists them")
        people = tuple(one for one in settings.people if one != recipient)
        machines = tuple(one for one in settings.cluster if one != recipient)
        yield from self._taken_away(people, machines, {recipient}, {recipient} & set(settings.cluster))

    def update(self) -> Iterator[str]:
        """Bring every file to what the description says, from which somebody may be gone."""
        settings = self.scope.settings
        lost = {one for path in files_in(self.scope) for one in self._of(path) - settings.recipients}
        if lost:
            own = lost & set(self._of_the_cluster())
            yield from self._taken_away(settings.people, settings.cluster, lost, own)
        else:
            yield from self._become(settings.people, settings.cluster)

    def _taken_away(self, people: tuple[str, ...], machines: tuple[str, ...], gone: set[str], own: set[str]) -> Iterator[str]:
        """`own`: those of them that are the cluster's."""
        if not (people and opens(people)):
            raise ToolTrouble("nobody on this machine could read a secret any more: let another person remove this key")
        if own:
            still_decrypts(self.scope, machines, sure=self.sure)
        known = [path for path in (*files_in(self.scope), *Vault(self.scope).operators()) if self._of(path) & gone]
        yield from self._become(people, machines)
        if own:
            self._forget(own)
            yield "next: commit, push, and wait until Flux has applied the commit"
            yield f"then: {hand_over(self.scope)}"
        else:
            yield "next: commit and push"
        yield "whoever has that key still knows what former commits hold; change it where it is used, then by ./run secrets set:"
        yield from (f"    {path}" for path in known)

    def _become(self, people: tuple[str, ...], machines: tuple[str, ...]) -> Iterator[str]:
        """Everything is worked out before the first file is written; the description, which says what is left to do, comes last."""
        settings = self.scope.settings.model_copy(update={"people": people, "cluster": machines})
        vault = Vault(replace(self.scope, settings=settings))
        differs = (people, machines) != (self.scope.settings.people, self.scope.settings.cluster)
        rules = rules_of(self.scope, people, machines)
        described = self.describe({"secrets": {"people": people, "cluster": machines}}) if differs else {}
        texts: dict[str, str] = {}
        for path, sops, wanted in (
            *((path, vault.sops, settings.recipients) for path in files_in(self.scope)),
            *((path, vault.own, frozenset(people)) for path in vault.operators()),
        ):
            text = vault.text(path) or ""
            found = ciphertext_in(text, path)
            others = found and other_keys(found.data)
            if found and found.sops and (found.sops.recipients != wanted or others):
                # A former recipient knows the data key, and with it what will be written under it.
                texts[path] = sops.rewrapped(text, rotate=bool(found.sops.recipients - wanted or others))
        vault.write({**texts, **rules, **described})
        yield from (f"encrypted anew: {path}" for path in texts)
        if described:
            yield "wrote the recipients into the description"

    def _of(self, path: str) -> frozenset[str]:
        """For whom a file is."""
        found = ciphertext_in(Vault(self.scope).text(path) or "", path)
        return found.sops.recipients if found and found.sops else frozenset()

    def _of_the_cluster(self) -> list[str]:
        """The recipients of all keys that were made for it, as far as this machine may know them."""
        vault = Vault(self.scope)
        text = vault.text(cluster_file(self.scope))
        try:
            keys = texts_in(vault.own.opened(text)).values() if text is not None else ()
        except ToolTrouble:
            return []
        return [one for key in keys for one in recipients_of(key)]

    def _forget(self, recipients: Iterable[str]) -> None:
        vault, path = Vault(self.scope), cluster_file(self.scope)
        text = vault.text(path)
        if text is None:
            return
        keys = texts_in(vault.own.opened(text))
        gone = [name for name, key in keys.items() if set(recipients_of(key)) & set(recipients)]
        vault.write({path: vault.own.changed(text, [("data", name, None) for name in gone])})
