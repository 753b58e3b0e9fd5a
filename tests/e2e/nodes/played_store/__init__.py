"""A stand-in for Longhorn that keeps data: volumes are folders, backups are archives in an S3 server of the tests' own.

Real around it: the API server and its controllers, which bind claims and attach volumes; the kubelets, which mount them by a CSI
driver; the pods; the S3 server's judgement of credentials. Played: everything of Longhorn's. Each object says what the real one's
types have for it, and changes when the real one's controllers change it; each module names the sources that it was written from,
in longhorn/longhorn-manager at v1.12.1 unless it says otherwise.

What is not played: replicas (each volume has one, always whole), rebuilding, live migration, standby volumes, backing images,
system backups, encryption, the RecurringJobs that a backup's labels may bring back.
"""

PLAYED = (
    "all of Longhorn: controllers, webhooks, CSI driver with its provisioner, resizer and attacher (tests/e2e/nodes/played_store); "
    "its volumes are folders, its backups whole archives; S3 is moto's"
)
