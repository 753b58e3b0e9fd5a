"""Which kubeconfig the commands that ask a running cluster use."""

from __future__ import annotations

import argparse
import os

from fluxstead.hosts.kubeconfig import file_of


def add_kubeconfig_argument(parser: argparse.ArgumentParser, *, inherit: bool = False) -> None:
    """`--kubeconfig`. `inherit`: of a word, before which it may stand as well."""
    way = "the way in (KUBECONFIG, else ~/.kube/fluxstead-<cluster>.yaml)"
    parser.add_argument("--kubeconfig", metavar="FILE", default=argparse.SUPPRESS if inherit else None, help=way)


def kubeconfig_of(options: argparse.Namespace, cluster: str) -> str:
    """What the arguments say, else the environment, else where `./run kubeconfig` wrote it."""
    named = os.environ.get("KUBECONFIG", "").partition(os.pathsep)[0]
    return str(options.kubeconfig or named or file_of(cluster))
