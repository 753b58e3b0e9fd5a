"""Secrets: nothing in Git that can be read, and nothing that the cluster cannot decrypt (failure F22)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fluxstead.checks.context import CheckContext
from fluxstead.checks.reading.applied_tree import AppliedObject
from fluxstead.checks.reading.directory import GENERATED
from fluxstead.checks.reading.store import entries_of, line_with
from fluxstead.checks.rule import Rule
from fluxstead.core.check import refuses
from fluxstead.core.findings import Finding, Source
from fluxstead.core.secrecy import may_be_secret, secret_in
from fluxstead.core.shape import mapping

IN_TEXT = refuses("secrets/in-text", "F22", "apps/web/config.yaml holds what looks like a key, a token or a password: ghp_…")
NO_DECRYPTION = refuses(
    "secrets/no-decryption", "F22", "Secret web/settings is encrypted, but Kustomization flux-system/web does not decrypt it"
)
PLAIN_SECRET = refuses("secrets/plain", "F22", "Secret web/settings holds `password` in plain text")
WRONG_RECIPIENTS = refuses("secrets/recipients", "F22", "Secret web/settings is not encrypted for age1…")

_ENCRYPTED = "ENC["


def secret_objects(context: CheckContext) -> Iterator[Finding]:
    """Secrets in plain text, for other recipients, or in a Kustomization that does not decrypt."""
    for item in context.tree.of("Secret"):
        if item.ref.group:
            continue
        key = _plain_key(item, filled_in="${" in context.tree.store.text(item.document.path))
        if key is not None:
            yield PLAIN_SECRET(
                line_with(context.tree.store, item.document, key),
                what=f"{item} holds `{key}` in plain text",
                why="anyone who can read the repository, now or later, has it (F22)",
                fix="the file encrypted: sops --encrypt --in-place --encrypted-regex '^(data|stringData)$' FILE",
            )
    for item in context.tree.objects:
        if "sops" in item.object and not item.document.generated:
            yield from _encrypted(context, item)


def _plain_key(item: AppliedObject, *, filled_in: bool) -> str | None:
    """The first key whose value can be read. Values that Flux fills in from elsewhere are not in the file.

    Next to such values stand others that complete them, such as a port: there, only a telling name counts.
    """
    for holder in ("data", "stringData"):
        for key, value in mapping(item.object, holder).items():
            there = value not in (None, "") and not str(value).startswith((_ENCRYPTED, "ref+")) and "${" not in str(value)
            if there and (not filled_in or may_be_secret(str(key), str(value))):
                return str(key)
    generated = item.object.get(GENERATED)
    literals = generated.get("literals") if isinstance(generated, Mapping) else None
    return str(literals[0]).partition("=")[0] if isinstance(literals, list) and literals else None


def _encrypted(context: CheckContext, item: AppliedObject) -> Iterator[Finding]:
    recipients = {str(one.get("recipient")) for one in entries_of(mapping(item.object, "sops"), "age")}
    if context.recipients and not context.recipients <= recipients:
        yield WRONG_RECIPIENTS(
            line_with(context.tree.store, item.document, "sops:"),
            what=f"{item} is not encrypted for {', '.join(sorted(context.recipients - recipients))}",
            why="the cluster cannot decrypt it, and nothing in its Kustomization is applied (F22)",
            fix="the file encrypted again: sops updatekeys FILE, with the cluster's recipients in .sops.yaml",
        )
    if not mapping(item.kustomization.spec, "decryption") and not item.kustomization.changes("Kustomization"):
        yield NO_DECRYPTION(
            item.source,
            what=f"{item} is encrypted, but {item.kustomization.ref} does not decrypt it",
            why="Flux applies the ciphertext, or is refused (F22)",
            fix="flux: {sopsSecret: …} in the stack file"
            if context.described
            else "spec.decryption with provider: sops and the key's Secret",
        )


def anywhere(context: CheckContext) -> Iterator[Finding]:
    """Keys, tokens and passwords in any file, by what they look like."""
    store = context.tree.store
    for path in sorted(context.tree.files):
        text = store.text(path)
        found = secret_in(text)
        if found and "${" not in found and "$(" not in found and not _in_encrypted(text):
            line = text[: text.index(found)].count("\n") + 1
            documents = store.documents(path)
            generated = bool(documents) and documents[0].generated
            yield IN_TEXT(
                documents[0].source if generated else Source(path, line),
                what=f"{path} holds what looks like a key, a token or a password: {found}…",
                why="anyone who can read the repository, now or later, has it (F22)",
                fix="a reference to a SOPS-encrypted Secret; and a new key, because this one has leaked",
            )


def _in_encrypted(text: str) -> bool:
    return "\nsops:" in text and _ENCRYPTED in text


RULES = (
    Rule(anywhere, (IN_TEXT,)),
    Rule(secret_objects, (NO_DECRYPTION, PLAIN_SECRET, WRONG_RECIPIENTS)),
)
