"""`./run certificates trust`: the root that devices have to be told to trust, from its ciphertext into a file."""

from __future__ import annotations

import argparse
from pathlib import Path

from fluxstead.cli.project import add_stack_arguments, print_findings, run_project, tell
from fluxstead.secrets.state import Scope
from fluxstead.secrets.tools import ToolTrouble
from fluxstead.systems.certificates.settings import CertificatesSettings
from fluxstead.systems.certificates.trust import fingerprint, root_in, where_it_goes


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    parser.add_argument("what", choices=("trust",), help="write the authority's certificate, and say where it goes")
    add_stack_arguments(parser)
    parser.add_argument("--file", type=Path, metavar="FILE", help="where it goes (<cluster>-ca.crt)")


def run(options: argparse.Namespace) -> int:
    """Write it, say where it goes, and give the exit status."""
    result = run_project(options)
    if result.assembled is None:
        print_findings(result.findings, "text")
        return 1
    description = result.assembled.description
    try:
        root = _root(result.assembled.secrets, description.cluster.certificates)
    except ToolTrouble as trouble:
        tell(str(trouble))
        return 1
    file: Path = options.file or Path(f"{description.name}-ca.crt")
    try:
        file.write_text(root, encoding="ascii")
    except OSError as problem:
        tell(f"{file} cannot be written: {problem.strerror}")
        return 1
    print(f"wrote {file}: the certificate of the authority of {description.name}, without its key: it is no secret")
    print(f"SHA-256 {fingerprint(root)}")
    print("\n".join(where_it_goes(file, description.name)))
    print("Whoever has the authority's key can then pretend to be any site to that device; take it out again as you put it in.")
    return 0


def _root(scope: Scope, settings: CertificatesSettings | None) -> str:
    """The certificate, and nothing of its key. Raises ToolTrouble."""
    from fluxstead.secrets.vault import Vault, texts_of  # noqa: PLC0415 -- what runs sops

    if settings is None or settings.issuer != "own":
        raise ToolTrouble("there is no authority of one's own to trust: certificates: {issuer: own}")
    name = f"{settings.namespace}/{settings.ca_secret}"
    needs = scope.named(name)
    if not needs:
        key = "jsonpath={.data.tls\\.crt}"
        raise ToolTrouble(
            f"{name} is made by hand here: kubectl -n {settings.namespace} get secret {settings.ca_secret} -o '{key}' | base64 -d"
        )
    values = texts_of(Vault(scope).values(scope.path_of(needs[0])))
    root = root_in(values.get("tls.crt", ""))
    if root is None:
        raise ToolTrouble(f"{name} has no certificate yet: ./run secrets set {name} --generate")
    return root
