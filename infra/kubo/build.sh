#!/usr/bin/env bash
# Kubo for the tests and the local network: the `ipfs` on the PATH, or build/kubo/ipfs, built from
# the modules that go.mod and go.sum pin.
set -euo pipefail
cd "$(dirname "$0")"
source ../go-build.sh
program=$(cd ../.. && pwd)/build/kubo/ipfs
pinned=$(awk '$1 == "require" && $2 == "github.com/ipfs/kubo" { print substr($3, 2) }' go.mod)

if found=$(command -v ipfs); then
  echo "Kubo $("$found" version --number): $found"
elif [ "$("$program" version --number 2>/dev/null)" = "$pinned" ]; then
  echo "Kubo $pinned: $program"
else
  build_with_go Kubo "$pinned" "$program" github.com/ipfs/kubo/cmd/ipfs "an ipfs"
fi
