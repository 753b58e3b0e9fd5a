"""fluxstead: one description becomes prepared hosts and a Flux tree.

Run by `pulumi preview` and `pulumi up`, and by `./run render` without Pulumi's engine. The description is `Pulumi.<stack>.yaml`
(the cluster) and `nodes/*.yaml` (one file a machine); what is wrong with it ends the program here, before anything happens.
"""

from components import Program
from fluxstead.systems import access, applications, certificates, datastore, dns, ingress, longhorn, monitoring, node_labels
from fluxstead.tree.asks import Volumes

program = Program()
cluster, nodes, platform = program.cluster, program.nodes, program.platform

# What systems know about one another follows from the description alone.
issuer = certificates.issuer_of(cluster.certificates)
volumes = Volumes(longhorn.DEFAULT_CLASS, longhorn.DescribedKeeper(cluster.longhorn))
gate = access.DescribedGate(cluster.access, ingress.https_port_of(cluster.ingress, platform))
router = ingress.router_of(cluster.ingress, platform, nodes, issuer, gate)
collector = monitoring.collector_of(cluster.monitoring)

# Pass one. Each system plans its layers and says what it needs from others; the order of these lines does not matter.
program.add(node_labels.NODE_LABELS, node_labels.plan(nodes))
program.add(datastore.DATASTORE, datastore.plan(cluster.datastore(nodes)))
program.add(dns.DNS, dns.plan(cluster.dns, platform, nodes))
program.add(longhorn.LONGHORN, longhorn.plan(cluster.longhorn, platform, nodes))
program.add(ingress.INGRESS, ingress.plan(cluster.ingress, platform, router, issuer))
program.add(
    certificates.CERTIFICATES,
    certificates.plan(cluster.certificates, platform, nodes, dns.names_of(nodes, cluster.dns)),
)
program.add(access.ACCESS, access.plan(cluster.access, platform, gate, issuer))
program.add(monitoring.MONITORING, monitoring.plan(cluster.monitoring, platform, router, volumes, nodes))
program.add(
    applications.APPLICATIONS,
    applications.plan(cluster.apps, platform, router, volumes, nodes=nodes, collector=collector),
)

# The asks are resolved, the layers ordered, the tree checked. Pass two registers every layer with Pulumi, and writes
# generated/<stack>/.
program.run()
