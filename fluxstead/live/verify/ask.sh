#!/bin/sh
# Fetches that file from a Service by its address ($ADDRESS) and by its name ($NAME), and from the pod on each machine
# ($PEERS: name=host), and says in its last words what did not come: of the machines ten at most, so that it fits there.
fetched() { timeout 5 wget -q -O - "http://$1:8080/large" 2>/dev/null | wc -c; }
failed=0
tell() {
  failed=$((failed + 1))
  echo "$*" >>/dev/termination-log
}
# What is new takes every machine a moment to know.
of_service() {
  for pause in 2 0; do
    size=$(fetched "$2")
    [ "$size" -ne 262144 ] || return 0
    sleep "$pause"
  done
  tell "$1 $2 $size"
}
of_service address "$ADDRESS"
of_service name "$NAME"
missing=0
for peer in $PEERS; do
  size=$(fetched "${peer#*=}")
  [ "$size" -ne 262144 ] || continue
  tell "peer ${peer%%=*} $size"
  missing=$((missing + 1))
  [ "$missing" -lt 10 ] || break
done
[ "$failed" -eq 0 ]
