"""Backups as they are described: policies that this release does not know, and volumes that are in no backup."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from fluxstead.catalog.defects import defects_of
from fluxstead.catalog.nearest import nearest
from fluxstead.core.check import refuses, warns
from fluxstead.core.findings import Finding, counted
from fluxstead.core.shape import at
from fluxstead.systems.longhorn.chart import BACKUP_KEYS
from fluxstead.systems.longhorn.keeping import has_target, is_ours, policies_of
from fluxstead.systems.longhorn.policies import INTERVAL_SINCE, OF_THE_CLUSTER, SYSTEM_BACKUP_SINCE, TARGETS_SINCE
from fluxstead.systems.longhorn.settings import LonghornSettings
from fluxstead.systems.longhorn.values import NO_CREDENTIALS
from fluxstead.tree.asks import VolumeClaim

FAILING_JOBS = refuses(
    "longhorn/failing-jobs",
    "U10",
    "the jobs that every volume has fail in Longhorn 1.9.0: longhorn/longhorn#11016",
    "the description",
)
NO_BACKUPS = warns("longhorn/no-backups", "U10", "2 volumes are in no backup: there is no backupTarget", "the description")
NOWHERE = refuses(
    "longhorn/nowhere-to-go", "U10", "the policy daily makes backups, and there is no backupTarget", "the description"
)
POLICY_RELEASE = refuses(
    "longhorn/policy-release", "U9", "the policy weekly is a system-backup, which Longhorn 1.8.2 does not know", "the description"
)
RUNNING_DATABASE = warns(
    "longhorn/running-database", "U10", "PostgreSQL writes to db-prod/db while it is backed up", "the description"
)
SAME_STORE = refuses("longhorn/same-store", "U10", "the targets backupTarget and old are one store", "the description")
UNKNOWN_TARGET = refuses("longhorn/unknown-target", "U10", "backupsTo names `secnd`, which is no target", "the description")
UNKNOWN_POLICY = refuses("longhorn/unknown-policy", "U10", "there is no policy `dayly`", "the description")
CHECKS = (FAILING_JOBS, NO_BACKUPS, NOWHERE, POLICY_RELEASE, RUNNING_DATABASE, SAME_STORE, UNKNOWN_POLICY, UNKNOWN_TARGET)

_RECURRING = "#11016"
_SHOWN = 5


def findings_of(settings: LonghornSettings) -> Iterator[Finding]:
    """What is wrong with the policies and the targets, whatever claims there are."""
    yield from _releases(settings)
    yield from _targets(settings)
    yield from _kept_at_most(settings)
    yield from _failing(settings)
    if settings.backups_to not in {None, "default", *settings.backup_targets}:
        known = ("default", *settings.backup_targets)
        yield UNKNOWN_TARGET(
            settings.source_of("backupsTo"),
            what=f"backupsTo names `{settings.backups_to}`, which is no target",
            why="Longhorn makes no volume of such a class",
            fix=nearest(str(settings.backups_to), known)
            or f"one of {', '.join(known)}; or backupTargets: {{{settings.backups_to}: …}}",
        )
    if not has_target(settings):
        for name, policy in (settings.backups or {}).items():
            if policy.backs_up or policy.task == OF_THE_CLUSTER:
                yield NOWHERE(
                    settings.source_of("backups", name),
                    what=f"the policy {name} makes backups, and there is no backupTarget",
                    why="its job fails each time, and there is no backup on the day when somebody looks for one",
                    fix="backupTarget: {url: …}, or no such policy",
                )


def _targets(settings: LonghornSettings) -> Iterator[Finding]:
    """Further targets: each in a store of its own, and with what lets Longhorn in."""
    seen = {_store_of(settings.backup_target.url): "backupTarget"} if settings.backup_target else {}
    for name, target in settings.backup_targets.items():
        store = _store_of(target.url)
        other = seen.setdefault(store, name)
        if other != name:
            yield SAME_STORE(
                target.source_of("url"),
                what=f"the targets {other} and {name} are one store",
                why="Longhorn's webhook refuses the second, and with it the whole layer",
                fix="the URL of another store, or no such target",
            )
        if not target.credential_secret and store.partition("://")[0] in BACKUP_KEYS:
            yield NO_CREDENTIALS(
                target.source_of("url"),
                what=f"the backup target {name} is {store.partition('://')[0]}://…, and has no credentialSecret",
                why="Longhorn gets in nowhere without one, and backs nothing up (U10)",
                fix="credentialSecret: a SOPS-encrypted Secret in Longhorn's namespace",
            )


def _store_of(url: str) -> str:
    """As Longhorn compares them: without case, a slash at the end, and options."""
    return url.partition("?")[0].rstrip("/").lower()


def _kept_at_most(settings: LonghornSettings) -> Iterator[Finding]:
    most = at(settings.values, ("defaultSettings", "recurringJobMaxRetention"))
    if not str(most).isdecimal():
        return
    for name, policy in policies_of(settings).items():
        if policy.retain and policy.retain > int(str(most)):
            yield POLICY_RELEASE(
                settings.source_of("values", "defaultSettings", "recurringJobMaxRetention"),
                what=f"the policy {name} keeps {policy.retain}, and recurringJobMaxRetention is {most}",
                why="Longhorn's webhook refuses the job, and with it the whole layer",
                fix=f"recurringJobMaxRetention: {policy.retain}, or a policy that keeps less",
            )


def _releases(settings: LonghornSettings) -> Iterator[Finding]:
    version = settings.version
    for name, policy in (settings.backups or {}).items():
        here = settings.source_of("backups", name)
        if policy.task == OF_THE_CLUSTER and version.minor < SYSTEM_BACKUP_SINCE:
            yield POLICY_RELEASE(
                here,
                what=f"the policy {name} is a {OF_THE_CLUSTER}, which Longhorn {version} does not know",
                why="its CRD refuses the job, and with it the whole layer",
                fix="no such policy before 1.9; Longhorn's UI makes a system backup by hand",
            )
        if policy.full_backup_interval and version.minor < INTERVAL_SINCE:
            yield POLICY_RELEASE(
                here,
                what=f"the policy {name} has a fullBackupInterval, which Longhorn {version} does not know",
                why="its CRD has no parameters, and every backup holds only what changed",
                fix="no fullBackupInterval before 1.7",
            )
    if settings.backup_targets and version.minor < TARGETS_SINCE:
        yield POLICY_RELEASE(
            settings.source_of("backupTargets"),
            what=f"there are further backup targets, and Longhorn {version} has one alone",
            why="what is in the others can be neither seen nor restored",
            fix="no backupTargets before 1.8",
        )


def _failing(settings: LonghornSettings) -> Iterator[Finding]:
    """Of a defect that every release warns of, what it means where there are such jobs."""
    if not any(one.for_all for one in policies_of(settings).values()):
        return
    for defect in defects_of("longhorn", settings.version):
        if defect.source.endswith(_RECURRING):
            yield FAILING_JOBS(
                settings.source_of("version"),
                what=f"the jobs that every volume has fail in Longhorn {settings.version}: {defect.source}",
                why="nothing is backed up, and nothing looks wrong until somebody needs a backup",
                fix=f"{defect.cure}, which is one patch away",
            )


class _Unkept(NamedTuple):
    claim: VolumeClaim
    reason: str


def of_claims(settings: LonghornSettings, claims: Sequence[VolumeClaim]) -> tuple[Finding, ...]:
    """Volumes that name policies which are not there, and those that are in no backup."""
    return tuple(_of_claims(settings, claims))


def _of_claims(settings: LonghornSettings, claims: Sequence[VolumeClaim]) -> Iterator[Finding]:
    policies = policies_of(settings)
    for claim in claims:
        for name in claim.backup.policies if claim.backup else ():
            known = policies.get(name)
            if known is None or known.task == OF_THE_CLUSTER:
                yield UNKNOWN_POLICY(
                    claim.source,
                    what=f"the policy `{name}` is about no volume" if known else f"there is no policy `{name}`",
                    why=f"a label that no job answers to does nothing: {claim.qualified_name} would lack these backups",
                    fix=_meant(name, tuple(policies)),
                )
    unkept = [_Unkept(claim, reason) for claim in claims if (reason := _why_not(settings, claim))]
    if unkept and not has_target(settings):
        yield from _no_target(settings, [one.claim for one in unkept])
    else:
        yield from _left_out(unkept)
    yield from _databases([one for one in claims if one.database and not _none(one) and not _why_not(settings, one)])


def _meant(name: str, policies: Sequence[str]) -> str:
    known = ", ".join(policies) or "none is described: fluxstead:longhorn: {backups: …}"
    close = nearest(name, policies)
    return f"{close}; those that there are: {known}" if close else known


def _none(claim: VolumeClaim) -> bool:
    return claim.backup is not None and bool(claim.backup.none)


def _why_not(settings: LonghornSettings, claim: VolumeClaim) -> str:
    """Why it is in no backup; empty where it is in one, or where somebody said that it shall be in none."""
    if _none(claim):
        return ""
    if not is_ours(claim.storage_class):
        return f"class {claim.storage_class} is not Longhorn's"
    if not has_target(settings):
        return "there is no backupTarget"
    policies = policies_of(settings)
    named = claim.backup.policies if claim.backup else ()
    everybody = [one for one in policies.values() if one.for_all] if not (claim.backup and claim.backup.only) else []
    chosen = [*everybody, *(policies[name] for name in named if name in policies)]
    return "" if any(one.backs_up for one in chosen) else "none of its policies makes a backup"


def _no_target(settings: LonghornSettings, claims: Sequence[VolumeClaim]) -> Iterator[Finding]:
    names = [claim.qualified_name for claim in claims]
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    yield NO_BACKUPS(
        settings.source,
        what=f"{counted(len(names), 'volume')} in no backup, since there is no backupTarget: {', '.join(names[:_SHOWN])}{more}",
        why="copies on several disks do not help against a deletion, a mistake or a fire: what is lost is lost",
        fix="backupTarget: {url: …}; or at each volume, backup: {none: why}",
    )


def _left_out(unkept: Sequence[_Unkept]) -> Iterator[Finding]:
    for claim, reason in unkept:
        yield NO_BACKUPS(
            claim.source,
            what=f"{claim.qualified_name} is in no backup: {reason}",
            why="what is lost is lost",
            fix="a policy with the task backup, on a class of Longhorn's; or backup: {none: why}",
        )


def _databases(claims: Sequence[VolumeClaim]) -> Iterator[Finding]:
    for claim in claims:
        yield RUNNING_DATABASE(
            claim.source,
            what=f"{claim.database} writes to {claim.qualified_name} while it is backed up",
            why="a snapshot of a running database is what a power cut leaves: it starts from it, if nothing else is wrong",
            fix="a CronJob that writes a dump into the volume before the backup, and an entry in `accept` that says so",
        )
