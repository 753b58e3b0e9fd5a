#!/bin/sh
# Prepares the disks and services of a host for Longhorn; reads the rest of itself and the node's data as a here-document.
# Only says here what is missing before anything can be said in Python; all rules are in the Python that follows.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
refuse() {
  printf '{"result": {"status": "failed", "why": ["%s"]}}\n' "$1"
  exit 3
}
command -v python3 >/dev/null || refuse "python3 is missing on this host: apt-get install python3"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 9))' || refuse "python3 on this host is older than 3.9"
