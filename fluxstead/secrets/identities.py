"""Three identities: the operator's in sops' own key file, one offline, and the cluster's, kept as ciphertext of the other two."""

from __future__ import annotations

import base64
import os
import posixpath
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.core.repository import repositories_around
from fluxstead.secrets.operator_needs import CLUSTER_KEY, K3S_TOKEN
from fluxstead.secrets.rules import RULES, NotWritable, rules_file
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import NO_KEY, SopsProgram, ToolTrouble, new_key, recipients_of
from fluxstead.secrets.vault import Vault, secret_object, texts_in
from fluxstead.tree.secret_files import OPERATOR, SUFFIX

DEFAULT_SECRET = "sops-age"  # noqa: S105 -- a name
_ENTRY = "age.agekey"
"""Flux takes every key of the Secret that ends in `.agekey` (kustomize-controller: internal/decryptor)."""

Describe = Callable[[Mapping[str, Mapping[str, "str | Sequence[str]"]]], dict[str, str]]
"""The description's file, by its path, with these keys in these sections."""


def cluster_file(scope: Scope) -> str:
    """Where the cluster's private key lies, as the Secret that Flux reads it from."""
    return posixpath.join(scope.folder, OPERATOR, f"{CLUSTER_KEY}{SUFFIX}")


def hand_over(scope: Scope) -> str:
    """What to type so that the cluster has its key; `data` and the server's own merge take away what is no longer there."""
    return f"sops decrypt {cluster_file(scope)} | kubectl apply --server-side --force-conflicts -f -"


def key_file() -> Path:
    """sops' own key file (getsops.io/docs, "Encrypting using age")."""
    if named := os.environ.get("SOPS_AGE_KEY_FILE"):
        return Path(named)
    if home := os.environ.get("XDG_CONFIG_HOME"):
        return Path(home) / "sops/age/keys.txt"
    below = "Library/Application Support" if sys.platform == "darwin" else ".config"
    return Path.home() / below / "sops/age/keys.txt"


def own_recipients() -> list[str]:
    """Those of the keys in sops' own file and variable. Not of all that sops uses: ask `opens`. Raises ToolTrouble."""
    try:
        text = key_file().read_text(encoding="utf-8")
    except FileNotFoundError:
        text = ""
    except (OSError, UnicodeDecodeError) as problem:
        why = getattr(problem, "strerror", None) or "it is not text"
        raise ToolTrouble(f"{key_file()}, where sops looks for private keys, cannot be read: {why}") from None
    return recipients_of(f"{os.environ.get('SOPS_AGE_KEY', '')}\n{text}")


def opens(people: Iterable[str]) -> bool:
    """Whether this machine decrypts what is encrypted for these: sops tries, which knows of plugins, commands and keys of SSH.

    Raises ToolTrouble where it cannot even encrypt for them.
    """
    sops = SopsProgram(people)
    probe = sops.encrypted({"data": {"probe": "probe"}})
    try:
        sops.opened(probe)
    except ToolTrouble as trouble:
        if trouble.code != NO_KEY:
            raise
        return False
    return True


@dataclass(frozen=True, slots=True)
class Init:
    """What `init` does, each step only where its result is not there yet."""

    scope: Scope
    describe: Describe
    offline: str
    """The recipient of the key that is kept offline; empty where there is none."""

    def run(self) -> Iterator[str]:
        """Do it, and say what was done and what to keep. Raises ToolTrouble."""
        settings = self.scope.settings
        people, said = self._people()
        yield from said
        known = replace(self.scope, settings=settings.model_copy(update={"people": people}))
        machines, made = self._cluster(known)
        refuse_shared(people, machines)
        sections: dict[str, dict[str, str | Sequence[str]]] = {}
        if people != settings.people or machines != settings.cluster:
            sections["secrets"] = {"people": people, "cluster": machines}
        if self.scope.sops_secret is None:
            sections["flux"] = {"sopsSecret": DEFAULT_SECRET}
        rules, described = rules_of(known, people, machines), self.describe(sections) if sections else {}
        Vault(known).write({**rules, **({cluster_file(self.scope): made} if made else {}), **described})
        if made:
            yield f"made the cluster's key, {machines[0]}, in {cluster_file(self.scope)}, which only people decrypt"
        if rules:
            yield f"wrote {RULES}"
        if "secrets" in sections:
            yield "wrote the recipients into the description"
        if "flux" in sections:
            yield f"wrote flux: {{sopsSecret: {DEFAULT_SECRET}}} into the description"
        yield f"keep: {key_file()}, the one file that is not in the repository and without which no secret can be read"
        if made:
            yield self._handed_over()
        if len(people) == 1:
            yield (
                "warning: there is no offline key; if this machine is lost, every secret is lost with it. On another machine:"
                " age-keygen -o offline.agekey, which goes into a safe; then, here: ./run secrets recipients add age1…"
            )

    def _handed_over(self) -> str:
        if any(one.need.name == K3S_TOKEN for one in self.scope.operators):
            return "the cluster gets its key from the `pulumi up` that brings Flux in"
        return (
            "the cluster gets its key once, before its first sync: from `pulumi up`, where that installs k3s"
            f" (./run upgrade kubernetes --lock); else\n    {hand_over(self.scope)}"
        )

    def _people(self) -> tuple[tuple[str, ...], list[str]]:
        own, settings = own_recipients(), self.scope.settings
        if settings.people:
            if not opens(settings.people):
                raise ToolTrouble(
                    f"none of the keys in {key_file()} is one that the description names under secrets: people;"
                    " bring the operator's key there, or let its owner do: ./run secrets recipients add "
                    + (own[0] if own else "age1…")
                )
            return settings.people, []
        said = []
        if not own and (os.environ.get("SOPS_AGE_KEY_CMD") or (key_file().is_file() and key_file().stat().st_size)):
            raise ToolTrouble(
                f"what is in {key_file()} does not say for whom it decrypts: write its public key into the description,"
                " secrets: {people: [age1…]}"
            )
        if not own:
            own = [self._own_key()]
            said = [f"made your key, {own[0]}, in {key_file()}"]
        return tuple(dict.fromkeys((own[0], *([self.offline] if self.offline else [])))), said

    def _own_key(self) -> str:
        file = key_file()
        inside = next(iter(repositories_around(self.scope.root)), self.scope.root)
        if file.absolute().resolve().is_relative_to(inside.resolve()):
            raise ToolTrouble(f"{file} is inside the repository, which is no place for a private key: unset SOPS_AGE_KEY_FILE")
        text, recipient = new_key()
        for folder in (*reversed(file.parent.parents), file.parent):  # `parents=True` would leave those above to the umask
            if not folder.is_dir():
                folder.mkdir(mode=0o700)
        with os.fdopen(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), "w", encoding="utf-8") as opened:
            opened.write(text)
            opened.flush()
            os.fsync(opened.fileno())
        return recipient

    def _cluster(self, scope: Scope) -> tuple[tuple[str, ...], str | None]:
        """Its recipients, and the file with its key where that has to be written."""
        if scope.settings.cluster:
            return scope.settings.cluster, None
        vault, path = Vault(scope), cluster_file(scope)
        if (text := vault.text(path)) is not None:  # an interrupted run made it
            keys = texts_in(vault.own.opened(text)).values()
            return tuple(one for key in keys for one in recipients_of(key)), None
        key, recipient = new_key()
        return (recipient,), vault.own.encrypted(key_secret(scope, {_ENTRY: key}))


def key_secret(scope: Scope, keys: Mapping[str, str]) -> dict[str, object]:
    """The Secret that Flux decrypts with."""
    secret = secret_object(FLUX_NAMESPACE, scope.sops_secret or DEFAULT_SECRET, {})
    del secret["stringData"]
    return secret | {"data": {name: base64.b64encode(key.encode()).decode() for name, key in keys.items()}}


def refuse_another_key(scope: Scope, values: Mapping[str, str | bytes]) -> None:
    """Raises ToolTrouble where these are not the private halves of what the description names as the cluster's."""
    held = {one for key in values.values() if isinstance(key, str) for one in recipients_of(key)}
    lacks = [one for one in scope.settings.cluster if one not in held]
    if lacks:
        raise ToolTrouble(f"nothing is taken: that is not the private half of {', '.join(lacks)}; is it this cluster's?")


def rules_of(scope: Scope, people: Sequence[str], machines: Sequence[str]) -> dict[str, str]:
    """`.sops.yaml` as the description says; empty where it is so already. Raises ToolTrouble."""
    now = Vault(scope).text(RULES)
    try:
        text = rules_file(scope.cluster, people, machines, now)
    except NotWritable as rules:
        raise ToolTrouble(
            f"{RULES} is written in a way that is not changed here; these belong first under its creation_rules, between the lines"
            f" `# {scope.folder}, kept by ./run secrets: begin` and `… end`:\n{rules}"
        ) from None
    return {RULES: text} if text != now else {}


def refuse_shared(people: Iterable[str], machines: Iterable[str]) -> None:
    """Raises ToolTrouble where a person has a key of the cluster's."""
    for one in sorted(set(people) & set(machines)):
        raise ToolTrouble(
            f"{one} is the cluster's own key: whoever breaks into the cluster would read what only people may; a person's own"
            " is made by `age-keygen`"
        )
