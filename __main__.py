"""fluxstead: one description becomes prepared hosts and a Flux tree.

Run by `pulumi preview` and `pulumi up`, and by `./run render` without Pulumi's engine. The description is `Pulumi.<stack>.yaml`
(the cluster) and `nodes/*.yaml` (one file a machine); what is wrong with it ends the program here, before anything happens.
"""

from components import Dns, Ingress, Longhorn, NodeLabels, Program
from fluxstead.systems import dns, ingress, longhorn, node_labels

program = Program()
cluster, nodes, platform = program.cluster, program.nodes, program.platform

# Pass one. Each system plans its layers, and hands plain values to those below it: a layer needs only layers of systems above.
program.add(NodeLabels, node_labels.plan(nodes))
program.add(Dns, dns.plan(cluster.dns, platform))
storage = program.add(Longhorn, longhorn.plan(cluster.longhorn, platform, nodes))
entrance = program.add(Ingress, ingress.plan(cluster.ingress, platform, nodes, storage.routes))

# The layers are ordered, the tree is checked. Pass two registers hosts and layers with Pulumi, and writes generated/<stack>/.
program.run()
