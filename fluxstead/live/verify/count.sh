#!/bin/sh
# Reads every file, and says in its last words how many inodes and bytes of the filesystem are used.
set -e
cd /data
# Of several batches, find may tell the last one's end alone; what any of them said is there.
find . -xdev -type f -exec cat {} + >/dev/null 2>/tmp/said || echo "find failed" >>/tmp/said
[ ! -s /tmp/said ] || {
  head -c 1000 /tmp/said >/dev/termination-log
  exit 1
}
# statfs(2), as the kubelet counts: block size, blocks, free blocks, inodes, free inodes.
stat -f -c '%S %b %f %c %d' /data >/tmp/counts
read -r size blocks free inodes unused </tmp/counts
echo "$((inodes - unused)) $(((blocks - free) * size))" >/dev/termination-log
