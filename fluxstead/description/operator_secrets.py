"""Which secrets of the operator's a description needs: those that no layer applies."""

from __future__ import annotations

from collections.abc import Iterator

from fluxstead.core.git_names import host_of, without_login
from fluxstead.description.cluster import Cluster
from fluxstead.secrets.operator_needs import LOGIN, OperatorSecret, cluster_key, deploy_key, flux_git, k3s_token, sqlite_backup_s3


def operator_secrets(cluster: Cluster) -> Iterator[OperatorSecret]:
    """The cluster's key, what k3s begins with, how copies of its state leave the server, and how Flux reads the repository."""
    flux, kubernetes, secrets = cluster.flux, cluster.kubernetes, cluster.secrets
    if secrets.cluster and flux.sops_secret:
        yield cluster_key(flux.sops_secret, secrets.source_of("cluster"))
    if kubernetes.binaries:
        yield k3s_token(kubernetes.source_of("binaries"))
    backups = kubernetes.sqlite_backups
    if backups and backups.s3 and kubernetes.datastore == "sqlite":
        yield sqlite_backup_s3(backups.s3.bucket, backups.source_of("s3"))
    if flux.repository and flux.login != "none":
        of_ssh = flux.login == "deploy-key"
        keys = deploy_key(*host_of(flux.repository), hosts_known=bool(flux.known_hosts)) if of_ssh else LOGIN
        yield flux_git(without_login(flux.repository), keys, flux.source_of("repository"))
