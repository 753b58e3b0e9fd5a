"""A stand-in for k3s, not k3s: one executable that is started, configured and asked like it, and runs upstream's own programs.

Real in it: the kubelet, the API server and its controllers, etcd, containerd, kube-proxy. Played: k3s's supervisor (an agent reads
the authority of the cluster from `kube-public/cluster-info`, and its certificate comes from the API server's own signer), its token
command, its datastore SQLite (etcd in a folder of another name), flannel (a bridge per node, and routes between them). Not there:
its packaged components (CoreDNS, metrics-server, Traefik, …), its registries, snapshots and passwords of nodes, its tunnel to the
agents, and its local load balancer: an agent keeps to the server by which it joined.

It needs nothing but Python 3.11, openssl and the programs in `/opt/fluxstead-stand-in`.
"""
