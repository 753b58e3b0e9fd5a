"""fluxstead: one description becomes prepared hosts and a Flux tree.

Run by `pulumi preview` and `pulumi up`, and by `./run render` without Pulumi's engine. The description is `Pulumi.<stack>.yaml`
(the cluster) and `nodes/*.yaml` (one file a machine); what is wrong with it ends the program here, before anything happens.
"""

from components import Program
from fluxstead.systems import applications, dns, ingress, longhorn, monitoring, node_labels

program = Program()
cluster, nodes, platform = program.cluster, program.nodes, program.platform

# Pass one. Each system plans its layers, and hands plain values to those below it: a layer needs only layers of systems above.
program.add("node_labels", node_labels.plan(nodes))
program.add("dns", dns.plan(cluster.dns, platform))
storage = program.add("longhorn", longhorn.plan(cluster.longhorn, platform, nodes))
entrance = program.add("ingress", ingress.plan(cluster.ingress, platform, nodes, storage.routes))
scrapes = (*storage.scrapes, *entrance.scrapes)
program.add("monitoring", monitoring.plan(cluster.monitoring, platform, entrance.router, storage.default_class, scrapes))
program.add("applications", applications.plan(cluster.apps, platform, entrance.router, storage.default_class))

# The layers are ordered, the tree is checked. Pass two registers every layer with Pulumi, and writes generated/<stack>/.
program.run()
