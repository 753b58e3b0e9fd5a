#!/bin/sh
# Finds Python and root's rights, and hands over to what follows as a here-document. All rules are in Python; what is missing
# before anything can be said there is said here, in the form of the script's own answer. The line before this file sets
# `token` and `needs`.
set -eu
PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
export PATH
# Some shells keep what follows in a file while it is read: not on a disk, which may be full or take no writes.
[ ! -w /dev/shm ] || TMPDIR=/dev/shm
fail() {
  # A line of its own, whatever the login printed before without ending its line.
  printf '\n{"answer": "%s", "result": {"status": "failed", "why": ["%s"]}}\n' "${token:?}" "$1"
  printf '%s\n' "$1" >&2
  exit 3
}
# The last words of a program, without what would end a string of JSON.
plain() { printf '%s' "$1" | tail -n 1 | LC_ALL=C tr -cd ' !#-[]-~' | cut -c 1-300; }

[ "$(uname -s)" = Linux ] || fail "this host runs $(plain "$(uname -s)"): only Linux hosts are prepared, as Longhorn runs on no other"
system=$(sed -n 's/^PRETTY_NAME=//p' /etc/os-release 2>/dev/null || true)
system=$(plain "$system" | tr -d "'")

set --
if [ "$(id -u)" != 0 ]; then
  user=$(plain "$(id -un)")
  file=/etc/sudoers.d/zz-fluxstead
  line="$user ALL=(ALL) NOPASSWD: ALL"
  allow="echo '$line' >$file; chmod 440 $file"
  root="type, as root on the host:"
  command -v sudo >/dev/null || fail "$user is not root, and sudo is not installed here; $root apt-get install -y sudo; $allow"
  if ! said=$(LC_ALL=C timeout 60 sudo -n true 2>&1 </dev/null); then
    case $said in
      *tty*) allow="echo 'Defaults:$user !requiretty' >$file; echo '$line' >>$file; chmod 440 $file" ;;
    esac
    fail "$user may not become root without a password: $(plain "$said"); $root $allow (the name sorts last, as the last rule counts)"
  fi
  set -- sudo -n
fi

met=
python=
for name in python3 python3.14 python3.13 python3.12 python3.11 python3.10 python3.9; do
  found=$(command -v "$name") || continue
  look="import sys; print('%d.%d.%d' % sys.version_info[:3]); sys.version_info >= (3, 9) or sys.exit(9); import ${needs:?}"
  ended=0
  # Isolated: no module of the folder or the user that it is started in takes the place of its own.
  version=$("$found" -I -c "$look" 2>/dev/null </dev/null) || ended=$?
  case $ended in
    0) python=$found && break ;;
    9) met="$met$found is $(plain "$version"), which is too old; " ;;
    *) met="$met$found${version:+ $(plain "$version")} lacks a part of its library or does not start; " ;;
  esac
done
if [ -z "$python" ]; then
  install="type, on the host: sudo apt-get update && sudo apt-get install -y python3"
  install="$install; where that brings an older one (Ubuntu 20.04): sudo apt-get install -y python3.9"
  install="$install; Debian 10, Ubuntu 18.04 and older have none: upgrade the system first"
  fail "Python 3.9 or newer is needed on this host (${system:-unknown system}): ${met:-there is no python3; }$install"
fi

