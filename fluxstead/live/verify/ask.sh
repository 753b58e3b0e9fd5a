#!/bin/sh
# Fetches that file from the pod on each machine ($PEERS: name=host), from a Service by its address ($ADDRESS) and by its
# name ($NAME), and says in its last words what did not come: at most twenty lines, which fit there.
fetched() { timeout 5 wget -q -O - "http://$1:8080/large" 2>/dev/null | wc -c; }
failed=0
tell() {
  failed=$((failed + 1))
  [ "$failed" -gt 20 ] || echo "$*" >>/dev/termination-log
}
for peer in $PEERS; do
  size=$(fetched "${peer#*=}")
  [ "$size" -eq 262144 ] || tell "peer ${peer%%=*} $size"
  [ "$failed" -lt 20 ] || break
done
size=$(fetched "$ADDRESS")
[ "$size" -eq 262144 ] || tell "address $ADDRESS $size"
size=$(fetched "$NAME")
[ "$size" -eq 262144 ] || tell "name $NAME $size"
[ "$failed" -eq 0 ]
