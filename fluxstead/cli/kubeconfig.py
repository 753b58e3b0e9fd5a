"""`./run kubeconfig`: the way into the cluster, fetched from a server over SSH into a file of its own."""

from __future__ import annotations

import argparse
from pathlib import Path

from fluxstead.cli.project import add_stack_arguments, choose_stack, described, tell
from fluxstead.hosts.joining import servers_of
from fluxstead.hosts.k3s import api_of
from fluxstead.hosts.kubeconfig import NotUsableError, fetched, file_of, write
from fluxstead.tree.staging import NotWritten


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The command's arguments."""
    add_stack_arguments(parser)
    parser.add_argument("--file", type=Path, metavar="FILE", help="where it goes (~/.kube/fluxstead-<cluster>.yaml)")


def run(options: argparse.Namespace) -> int:
    """Fetch it, say where it is, and give the exit status."""
    root, stack = choose_stack(options)
    description = described(root, stack)
    if description is None:
        return 1
    servers = servers_of(description.nodes)
    api = api_of(description.cluster.kubernetes.api_address, servers)
    file: Path = options.file or file_of(stack)
    try:
        changed = write(file, fetched(servers, root, stack, api))
    except (NotUsableError, NotWritten) as error:
        for line in str(error).splitlines():
            tell(line)
        return 1
    except OSError as error:
        tell(f"{error.filename or file} cannot be written: {error.strerror}")
        return 1
    print(f"{'wrote' if changed else 'unchanged:'} {file}, the administrator's key of {stack} at {api}")
    print(f"export KUBECONFIG={file}")
    return 0
