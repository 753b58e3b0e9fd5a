"""What no layer applies, and only people read: what a cluster begins with. It lies in `secrets/<cluster>/operator/`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import NamedTuple

from fluxstead.core.findings import Source
from fluxstead.core.platform import FLUX_NAMESPACE
from fluxstead.tree.asks import SecretKey, SecretNeed
from fluxstead.tree.secret_files import OPERATOR

CLUSTER_KEY = "cluster-age"
K3S_TOKEN = "k3s-token"  # noqa: S105 -- a name
FLUX_GIT = "flux-git"
SQLITE_BACKUP_S3 = "sqlite-backup-s3"


class OperatorSecret(NamedTuple):
    """A secret of the operator's. `cure`: what to type where it is missing.

    `made`: whether it is never typed. `public`: where the halves belong that everybody may know, by their keys.
    """

    need: SecretNeed
    cure: str
    made: bool = False
    public: Mapping[str, str] = {}


def k3s_token(source: Source) -> OperatorSecret:
    """What machines join k3s with, and what its datastore is sealed with (docs.k3s.io/cli/token)."""
    need = SecretNeed(
        namespace=OPERATOR,
        name=K3S_TOKEN,
        layer=OPERATOR,
        purpose="what machines join k3s with, and what every backup of it opens with",
        source=source,
        keys=(SecretKey(name="token", form="token", maker="token"),),
        rotation="by `k3s token rotate` on a server; then k3s is restarted on every machine with the new token, git rm takes"
        f" this file out in a commit of its own, and ./run secrets set {OPERATOR}/{K3S_TOKEN} --stdin takes the new one",
    )
    return OperatorSecret(
        need,
        cure=f"./run secrets set {need.qualified_name} --generate, or --stdin for that of a cluster that runs",
    )


def sqlite_backup_s3(bucket: str, source: Source) -> OperatorSecret:
    """The login by which the server sends copies of SQLite to a bucket; putting objects there is all that it needs."""
    need = SecretNeed(
        namespace=OPERATOR,
        name=SQLITE_BACKUP_S3,
        layer=OPERATOR,
        purpose=f"how the server sends copies of the cluster's state to s3://{bucket}",
        source=source,
        keys=(SecretKey(name="AWS_ACCESS_KEY_ID", form="one line"), SecretKey(name="AWS_SECRET_ACCESS_KEY", form="one line")),
    )
    return OperatorSecret(need, cure=f"./run secrets set {need.qualified_name}")


def cluster_key(secret: str, source: Source) -> OperatorSecret:
    """The private half of what the cluster decrypts with, as the Secret that Flux reads it from."""
    need = SecretNeed(
        namespace=OPERATOR,
        name=CLUSTER_KEY,
        layer=OPERATOR,
        purpose="what the cluster decrypts with",
        source=source,
        live=(FLUX_NAMESPACE, secret),
        rotation="by ./run secrets recipients add --cluster",
    )
    return OperatorSecret(
        need,
        cure=f"the file as it was: git log --all -- '*/{OPERATOR}/{CLUSTER_KEY}*'; or, from the running cluster:"
        f" ./run secrets import {FLUX_NAMESPACE}/{secret}",
        made=True,
    )


def flux_git(repository: str, keys: tuple[SecretKey, ...], source: Source) -> OperatorSecret:
    """What Flux reads the repository with, as the Secret that `flux bootstrap` would make (source-controller: GitRepository)."""
    need = SecretNeed(
        namespace=OPERATOR,
        name=FLUX_GIT,
        layer=OPERATOR,
        purpose=f"how Flux reads {repository}",
        source=source,
        keys=keys,
        live=(FLUX_NAMESPACE, FLUX_NAMESPACE),
    )
    made = any(key.maker for key in keys)
    return OperatorSecret(
        need,
        cure=f"./run secrets set {need.qualified_name}{' --generate' if made else ''}",
        public={PUBLIC: f"this belongs into {repository}, as a deploy key, read-only"} if made else {},
    )


IDENTITY, PUBLIC = "identity", "identity.pub"


def deploy_key(host: str, port: str, *, hosts_known: bool = False) -> tuple[SecretKey, ...]:
    """For SSH. The public half goes with the private one; `hosts_known`: the server's keys are described in the open."""
    asked = f"ssh-keyscan -p {port} {host}" if port else f"ssh-keyscan {host}"
    of_server = SecretKey(name="known_hosts", form="known_hosts", hint=f"a line of `{asked}`, compared with what {host} publishes")
    return (SecretKey(name=IDENTITY, form="PEM", maker="ssh-key"), *(() if hosts_known else (of_server,)))


LOGIN = (SecretKey(name="username", form="one line"), SecretKey(name="password", form="one line", hint="a token that only reads"))
"""For HTTPS."""
