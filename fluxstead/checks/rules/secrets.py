"""Secrets: nothing in Git that can be read, and nothing that the cluster cannot decrypt (failure F22)."""

from __future__ import annotations

import base64
import posixpath
import re
from collections.abc import Iterator, Mapping
from typing import Any

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject, FluxKustomization
from fluxstead.checks.reading.directory import GENERATED, KUSTOMIZATIONS, envs_of, files_of
from fluxstead.checks.reading.documents import Document, documents_in
from fluxstead.checks.reading.sops import ENCRYPTED, Sops, sops_in, sops_of
from fluxstead.checks.reading.store import line_with, normal, texts_of
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, Source
from fluxstead.core.secrecy import may_be_secret, named_in
from fluxstead.core.secret_forms import sightings
from fluxstead.core.shape import entries_of, mapping

NO_DECRYPTION = refuses(
    "secrets/no-decryption", "F22", "Secret web/settings is encrypted, but Kustomization flux-system/web does not decrypt it"
)
NO_MAC = warns("secrets/no-mac", "F22", "Secret web/settings is encrypted, and has no MAC")
NO_METADATA = refuses("secrets/no-metadata", "F22", "Secret web/settings holds ENC[…] and no `sops` section")
PLAIN_SECRET = refuses("secrets/plain", "F22", "Secret web/settings holds `password` in plain text")
PLAIN_SETTINGS = warns(
    "secrets/plain-settings", "F22", "Secret web/settings holds `AWS_REGION` in plain text, which need be no secret"
)
WRONG_RECIPIENTS = refuses("secrets/recipients", "F22", "Secret web/settings is not encrypted for age1…")

_WHY = "anyone who can read the repository, now or later, has it (F22)"
_ENCRYPT = "the file encrypted: sops --encrypt --in-place --encrypted-regex '^(data|stringData)$' FILE"
_SETTING = r"(?i)(?:^|[_.-]|(?<=[a-z])(?=[A-Z]))(?:region|endpoints?|host(?:name)?|bucket|domain|timezone|tz|scheme|log[_-]?level)$"
_HOLDERS = ("data", "stringData")
_PUBLIC = re.compile(r"-----BEGIN (?:CERTIFICATE|PUBLIC KEY)|LS0tLS1CRUdJTiBD|LS0tLS1CRUdJTiBQVUJ|ssh-\w+ |age1")
"""Certificates and public keys, as text and in base64; a private key behind one shows by its own form."""


def secret_objects(context: CheckContext) -> Iterator[Finding]:
    """Secrets in plain text, for other recipients, or in a Kustomization that does not decrypt."""
    told = set[tuple[str, Source]]()  # a component's file becomes a Secret in each of its users' namespaces
    for item in context.tree.of("Secret"):
        if item.ref.group:
            continue
        for finding in (*_plain(context, item), *_generated(context, item)):
            if (finding.id, finding.source) not in told:
                told.add((finding.id, finding.source))
                yield finding
        if "sops" not in item.object and not item.document.generated:
            yield from _without_metadata(context, item)
    for item in context.tree.objects:
        sops = None if item.document.generated else sops_of(item.object)
        if sops is not None:
            source = line_with(context.tree.store, item.document, "sops:")
            yield from _encrypted(context, sops, f"{item}", item.kustomization, source)


def _plain(context: CheckContext, item: AppliedObject) -> Iterator[Finding]:
    keys = _plain_keys(item.object, filled_in="${" in context.tree.store.text(item.document.path))
    written = [entry.partition("=")[::2] for entry in texts_of(mapping(item.object, GENERATED), "literals")]
    literals = [key for key, value in written if not _is_setting(key, value)]
    settings = [key for key, value in written if _is_setting(key, value)]
    certain = [key for key in keys if not _is_setting(key, _text_at(item.object, key))]
    if certain:
        yield _in_plain_text(line_with(context.tree.store, item.document, certain[0]), str(item), certain)
    elif keys or settings:
        yield PLAIN_SETTINGS(
            line_with(context.tree.store, item.document, (keys or settings)[0]),
            what=f"{item} holds {', '.join(f'`{key}`' for key in keys or settings)} in plain text, which need be no secret",
            why=f"if it is one, {_WHY}",
            fix="a ConfigMap, or the file encrypted",
        )
    if literals:
        fix = "envs, with a file of variables that sops encrypted"
        yield _in_plain_text(line_with(context.tree.store, item.document, literals[0]), str(item), literals, fix)


def _is_setting(name: str, value: str) -> bool:
    """Whether the name says a place or a kind, or the value is a whole file of settings; and nothing in it looks like a secret."""
    named = re.search(_SETTING, name) or len(value.strip().splitlines()) > 1
    return bool(named) and not may_be_secret(name, value) and not any(sightings(value)) and not any(named_in(value))


def _text_at(secret: Mapping[str, Any], key: str) -> str:
    encoded = mapping(secret, "data").get(key)
    if encoded is None or key in mapping(secret, "stringData"):
        return str(mapping(secret, "stringData").get(key))
    try:
        return base64.b64decode(str(encoded), validate=True).decode()
    except ValueError:
        return str(encoded)


def _in_plain_text(source: Source, whose: str, keys: list[str], fix: str = _ENCRYPT) -> Finding:
    return PLAIN_SECRET(
        source,
        what=f"{whose} holds {', '.join(f'`{key}`' for key in keys)} in plain text",
        why=_WHY,
        fix=fix,
    )


def _plain_keys(data: Mapping[str, Any], *, filled_in: bool) -> list[str]:
    """The keys whose values can be read. Values that Flux fills in from elsewhere are not in the file.

    Next to such values stand others that complete them, such as a port: there, only a telling name counts.
    """
    entries = ((str(key), value) for holder in _HOLDERS for key, value in mapping(data, holder).items())
    return [key for key, value in entries if _can_be_read(value) and (not filled_in or may_be_secret(key, str(value)))]


def _can_be_read(value: Any) -> bool:
    text = str(value)
    return value not in (None, "") and not text.startswith((ENCRYPTED, "ref+")) and "${" not in text and not _PUBLIC.match(text)


def _generated(context: CheckContext, item: AppliedObject) -> Iterator[Finding]:
    """What kustomize generates from files: each variable of an `env` is a key of the Secret, and so is each file."""
    generator, store = mapping(item.object, GENERATED), context.tree.store
    folder = posixpath.dirname(item.document.path)
    sources = [*(("", path) for path in envs_of(generator)), *files_of(generator)]
    for key, entry in sources:
        path = normal(posixpath.join(folder, entry))
        text = store.any_text(path)
        sops = sops_in(text)
        if sops is not None:
            yield from _encrypted(context, sops, f"{path}, of which {item.ref} is made,", item.kustomization, Source(path))
            continue
        found = [(posixpath.splitext(key)[0], text.strip(), 1)] if key else list(_variables(text))
        keys = [name for name, value, _ in found if _can_be_read(value) and (not key or _is_one_secret(name, value))]
        if keys:
            line = next(number for name, _, number in found if name == keys[0])
            fix = f"the file encrypted: sops --encrypt --in-place {path}"
            yield _in_plain_text(Source(path, line), f"{item.ref}, made of {path},", keys, fix)


def _variables(text: str) -> Iterator[tuple[str, str, int]]:
    for number, line in enumerate(text.splitlines(), 1):
        name, equals, value = line.strip().partition("=")
        if equals and not name.startswith("#"):
            yield name, value, number


def _is_one_secret(name: str, value: str) -> bool:
    """Whether a file is nothing but a secret; in a file of settings, what stands there is looked at by itself."""
    return len(value.splitlines()) == 1 and may_be_secret(name, value)


def patches(context: CheckContext) -> Iterator[Finding]:
    """What is patched into Secrets, by kustomizations, Flux' own Kustomizations and releases."""
    tree = context.tree
    holders = [
        (document, document.data)
        for path in sorted(tree.files)
        if posixpath.basename(path) in KUSTOMIZATIONS
        for document in tree.store.documents(path)[:1]
    ]
    for item in tree.of("Kustomization", "HelmRelease"):
        if not item.document.generated:
            holders.append((item.document, item.spec))
            holders.extend((item.document, mapping(one, "kustomize")) for one in entries_of(item.spec, "postRenderers"))
    for holder, data in holders:
        for target, document in _bodies(context, holder, data) if isinstance(data, Mapping) else ():
            keys = _patched_keys(target, document.data)
            if keys:
                whose = f"a patch of Secrets ({document.path})"
                yield _in_plain_text(line_with(tree.store, document, keys[0]), whose, keys)


def _bodies(context: CheckContext, holder: Document, data: Mapping[str, Any]) -> Iterator[tuple[Any, Document]]:
    """The patches with their targets, each as a document of the file that it stands in."""
    store, folder = context.tree.store, posixpath.dirname(holder.path)
    entries = [*entries_of(data, "patches"), *entries_of(data, "patchesJson6902")]
    merges = [{"patch" if "\n" in entry else "path": entry} for entry in texts_of(data, "patchesStrategicMerge")]
    for entry in (*entries, *merges):
        path, text = entry.get("path"), entry.get("patch")
        if isinstance(path, str) and "://" not in path:
            yield from ((entry.get("target"), one) for one in store.documents(normal(posixpath.join(folder, path))))
        elif isinstance(text, str):
            yield from (
                (entry.get("target"), Document(holder.path, one.data, holder.source)) for one in documents_in(text, holder.path)
            )


def _patched_keys(target: Any, body: Any) -> list[str]:
    """The keys of a Secret that a patch gives a value in plain text: merged into it, or by operations (RFC 6902)."""
    named = target.get("kind") if isinstance(target, Mapping) else None
    if isinstance(body, Mapping):
        return _plain_keys(body, filled_in=False) if "Secret" in (body.get("kind"), named) and "sops" not in body else []
    if named != "Secret" or not isinstance(body, list):
        return []
    keys = []
    for operation in body:
        path, value = (str(operation.get("path")), operation.get("value")) if isinstance(operation, Mapping) else ("", None)
        holder, _, key = path.strip("/").partition("/")
        if holder in _HOLDERS and isinstance(value, Mapping):
            keys += _plain_keys({"data": value}, filled_in=False)
        elif holder in _HOLDERS and key and _can_be_read(value):
            keys.append(key)
    return keys


def _without_metadata(context: CheckContext, item: AppliedObject) -> Iterator[Finding]:
    values = (value for holder in _HOLDERS for value in mapping(item.object, holder).values())
    if any(str(value).startswith("ENC[AES256_GCM,") for value in values):
        yield NO_METADATA(
            line_with(context.tree.store, item.document, ENCRYPTED),
            what=f"{item} holds ENC[…] and no `sops` section",
            why="without it nobody can decrypt the value, and Flux applies the ciphertext (F22)",
            fix="the file as sops wrote it, with its `sops` section: `git log -p FILE` has it",
        )


def _encrypted(
    context: CheckContext, sops: Sops, whose: str, kustomization: FluxKustomization, source: Source
) -> Iterator[Finding]:
    if context.recipients and not context.recipients <= sops.recipients:
        yield WRONG_RECIPIENTS(
            source,
            what=f"{whose} is not encrypted for {', '.join(sorted(context.recipients - sops.recipients))}",
            why="the cluster cannot decrypt it, and nothing in its Kustomization is applied (F22)",
            fix="the file encrypted again: sops updatekeys FILE, with the cluster's recipients in .sops.yaml",
        )
    if not mapping(kustomization.spec, "decryption") and not kustomization.changes("Kustomization"):
        yield NO_DECRYPTION(
            source,
            what=f"{whose} is encrypted, but {kustomization.ref} does not decrypt it",
            why="Flux applies the ciphertext, or is refused (F22)",
            fix="flux: {sopsSecret: …} in the stack file"
            if context.described
            else "spec.decryption with provider: sops and the key's Secret",
        )
    if not sops.has_mac:
        yield NO_MAC(
            source,
            what=f"{whose} is encrypted, and has no MAC",
            why="sops refuses to open the file, and Flux, which does not look at it, applies what anybody changed in it",
            fix="the file as sops wrote it; if it is gone: sops decrypt --ignore-mac, read what is there, and encrypt it again",
        )


RULES = (
    Rule(secret_objects, (NO_DECRYPTION, NO_MAC, NO_METADATA, PLAIN_SECRET, PLAIN_SETTINGS, WRONG_RECIPIENTS)),
    Rule(patches, (PLAIN_SECRET,)),
)
