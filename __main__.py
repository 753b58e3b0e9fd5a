"""fluxstead: one description becomes prepared hosts and a Flux tree.

Run by `pulumi preview` and `pulumi up`, and by `./run render` without Pulumi's engine. The description is `Pulumi.<stack>.yaml`
(the cluster) and `nodes/*.yaml` (one file a machine); what is wrong with it ends the program here, before anything happens.
"""

from components import Longhorn, Monitoring, NodeLabels, Program
from fluxstead.systems import longhorn, monitoring, node_labels

program = Program()
cluster, nodes, platform = program.cluster, program.nodes, program.platform

# Pass one. Each system plans its layers, and hands plain values to those below it: a layer needs only layers of systems above.
program.add(NodeLabels, node_labels.plan(nodes))
storage = program.add(Longhorn, longhorn.plan(cluster.longhorn, platform, nodes))
program.add(
    Monitoring,
    monitoring.plan(cluster.monitoring, platform, storage_classes=storage.classes, router=None, scrapes=storage.scrapes),
)

# The layers are ordered, the tree is checked. Pass two registers hosts and layers with Pulumi, and writes generated/<stack>/.
program.run()
