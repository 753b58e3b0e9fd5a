"""What pass one finds out about secrets, without a key and without sops."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

from fluxstead.checks.reading.store import text_at
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.secrets.ciphertext import ciphertext_in
from fluxstead.secrets.state import BESIDE, Scope, SecretRow, State, Trouble, look
from fluxstead.tree.secret_files import OPERATOR, SUFFIX

MISSING = warns("secrets/missing", "F22", "Secret longhorn-system/longhorn-backup is missing", "the description")
KEYS_MISSING = warns("secrets/keys-missing", "F22", "Secret monitoring/grafana-admin lacks admin-password", "the files on disk")
KEYS_TOO_MANY = refuses(
    "secrets/keys-too-many", "F21", "Secret web/web-login has notes beside auth, and is read by its one key", "the files on disk"
)
OTHER_SECRET = refuses(
    "secrets/other-secret", "F3", "the file of Secret web/settings holds Secret web/setings", "the files on disk"
)
FORMER_RECIPIENTS = warns(
    "secrets/former-recipients", "F22", "Secret web/settings is still encrypted for age1…", "the files on disk"
)
NO_SECRET = refuses("secrets/no-secret", "F3", "the file of Secret web/settings is not one Secret", "the files on disk")
KEY_NAMES = refuses("secrets/key-names", "F3", "Secret web/settings has a key that is no name of one", "the files on disk")
UNUSED = warns("secrets/unused", "F22", "no described system needs this Secret", "the files on disk")
OPERATORS_OWN = refuses(
    "secrets/operators-own", "F22", "the operator's own secret is encrypted for the cluster as well", "the files on disk"
)
ACCEPTED_IN_VAIN = refuses(
    "secrets/accepted-in-vain", "F3", "Secret web/settings is there, and described as missing", "the description"
)
PLAIN_BESIDE = refuses("secrets/plain-beside", "F22", "settings.yaml is in plain text beside its ciphertext", "the files on disk")
BROKEN = refuses("secrets/broken", "F22", "Secret web/settings: the value of TOKEN is no ciphertext of sops", "the files on disk")
NO_KEY = refuses("secrets/no-key", "F22", "secrets are encrypted, and the cluster has no key", "the description")
CHECKS = (
    MISSING,
    KEYS_MISSING,
    KEYS_TOO_MANY,
    KEY_NAMES,
    OTHER_SECRET,
    NO_SECRET,
    FORMER_RECIPIENTS,
    UNUSED,
    OPERATORS_OWN,
    ACCEPTED_IN_VAIN,
    PLAIN_BESIDE,
    BROKEN,
    NO_KEY,
)

WORK_LEFT = frozenset({MISSING.id, KEYS_MISSING.id})
"""What lets `render` write and `check` fail: nothing is wrong with the tree, and the cluster would not work with it."""


def findings_of(scope: Scope) -> Iterator[Finding]:
    """What is missing, left over, or not what its place says. What rules over the tree find is not told twice."""
    for entry in look(scope):
        for trouble in entry.troubles if not entry.accepted else ():
            tell = _TOLD.get(trouble.state)
            if tell:
                yield from tell(entry, trouble)
    yield from _operators(scope)
    yield from _acceptances(scope)
    if scope.settings.cluster and scope.sops_secret is None:
        yield NO_KEY(
            scope.settings.source_of("cluster"),
            what="secrets are encrypted for the cluster, and the description names no Secret with its key",
            why="no layer decrypts, and every Secret stays out of the cluster",
            fix="fluxstead:flux: {sopsSecret: sops-age}",
        )


def _missing(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    if entry.need:
        yield MISSING(
            entry.need.source,
            what=f"Secret {entry.name} is missing: {trouble.detail}",
            why="nothing creates it, and what needs it does not start or does not get in",
            fix=f"{trouble.cure}; or, in the description, why that is all right: secrets: {{missing: …}}",
        )


def _keys_missing(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield KEYS_MISSING(
        Source(entry.path),
        what=f"Secret {entry.name} lacks {trouble.detail}",
        why="what reads them does not start or does not get in",
        fix=trouble.cure,
    )


def _keys_too_many(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield KEYS_TOO_MANY(
        Source(entry.path),
        what=f"Secret {entry.name} has {trouble.detail} as well, and is read by its one key",
        why="Traefik takes passwords from a Secret with one key alone, drops the route, and answers 404 (F21)",
        fix=trouble.cure,
    )


def _key_names(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield KEY_NAMES(
        Source(entry.path),
        what=f"Secret {entry.name}: {trouble.detail} have names that no key may have",
        why="the API server refuses the Secret, and Flux applies nothing of the whole layer; a name is in plain text, too",
        fix=trouble.cure,
    )


def _other(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield OTHER_SECRET(
        Source(entry.path),
        what=f"this is the place of Secret {entry.name}, and {trouble.detail}",
        why=_NOT_OURS if _is_operators(entry) else "Flux creates that one, and nobody finds the Secret that is needed",
        fix=trouble.cure,
    )


def _no_secret(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield NO_SECRET(
        Source(entry.path),
        what=f"this is the place of Secret {entry.name}, and {trouble.detail}",
        why=_NOT_OURS if _is_operators(entry) else "Flux applies something else, or nothing of the whole layer",
        fix=f"the file as it was: {trouble.cure}; once it is gone, ./run secrets says how to give it anew",
    )


_NOT_OURS = "what installs a cluster, and whoever brings one back, finds something else, or nothing"


def _is_operators(entry: SecretRow) -> bool:
    return entry.need is not None and entry.need.layer == OPERATOR


def _unused(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield UNUSED(
        Source(entry.path),
        what="no described system needs this Secret",
        why="no layer applies it, and whoever looks for its value finds the wrong one",
        fix=trouble.cure,
    )


def _former(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    if "still for" in trouble.detail:
        yield FORMER_RECIPIENTS(
            Source(entry.path),
            what=f"Secret {entry.name} is {trouble.detail}",
            why="whoever was taken out of the description still reads it",
            fix="./run secrets recipients update; and other values, since the former ones are known",
        )


def _plain_beside(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    plain, beside, _ = trouble.detail.partition(f" {BESIDE}")
    if beside:
        yield PLAIN_BESIDE(
            Source(plain),
            what=f"{plain} is where Secret {entry.name} is kept as ciphertext",
            why="the next `git add` takes it along, and whoever reads the repository, now or later, has it (F22)",
            fix=trouble.cure,
        )


def _broken(entry: SecretRow, trouble: Trouble) -> Iterator[Finding]:
    yield BROKEN(
        Source(entry.path),
        what=f"Secret {entry.name}: {trouble.detail}: this is not what sops writes",
        why="no key opens it" if _is_operators(entry) else "no key opens it, and Flux applies nothing of the whole layer",
        fix=trouble.cure,
    )


_TOLD: Mapping[State, Callable[[SecretRow, Trouble], Iterator[Finding]]] = {
    "missing": _missing,
    "keys missing": _keys_missing,
    "keys too many": _keys_too_many,
    "no key names": _key_names,
    "another Secret": _other,
    "no Secret": _no_secret,
    "unused": _unused,
    "not for these recipients": _former,
    "plain": _plain_beside,
    "broken": _broken,
}


def _operators(scope: Scope) -> Iterator[Finding]:
    """The operator's own secrets, of which the cluster must not read one: its own key is among them."""
    for file in sorted((scope.root / scope.folder / OPERATOR).glob(f"*{SUFFIX}")):
        path = file.relative_to(scope.root).as_posix()
        text = text_at(file)
        if text is None:  # it is no file, which is told where it is needed
            continue
        found = ciphertext_in(text, path)
        if found is None or found.sops is None or found.plain:
            what, fix = "the operator's own secret can be read", f"the file as it was: git log -p {path}; and another value"
        elif shared := found.sops.recipients.intersection(scope.settings.cluster):
            what = f"the operator's own secret is encrypted for the cluster as well: {', '.join(sorted(shared))}"
            fix = "./run secrets recipients update; and another value, since the cluster knows this one"
        else:
            continue
        yield OPERATORS_OWN(
            Source(path),
            what=what,
            why="whoever breaks into the cluster, or reads the repository, has what protects it (F22)",
            fix=fix,
        )


def _acceptances(scope: Scope) -> Iterator[Finding]:
    for index, one in enumerate(scope.settings.missing):
        meant = [need for need in scope.all_needs if scope.settings.accepted(need) is one]
        need = next((need for need in meant if (scope.root / scope.path_of(need)).is_file()), None)
        if need or not meant:
            yield ACCEPTED_IN_VAIN(
                scope.settings.source_of("missing", index),
                what=f"Secret {one.secret} is there, and described as missing"
                if need
                else f"no described system needs Secret {one.secret}",
                why="no layer applies it" if need else "nothing is accepted by it, and what it was meant for is missing",
                # Without the name of a key, no Secret is kept as ciphertext, and so none is needed here.
                fix="the list without it" if need or scope.sops_secret else "flux: {sopsSecret: …}, or the list without it",
            )
