#!/usr/bin/env bash
# geth for the proof-of-authority chain: a `geth` on the PATH that knows Clique, or build/poa/geth,
# built from the modules that go.mod and go.sum pin.
set -euo pipefail
cd "$(dirname "$0")"
source ../go-build.sh
program=$(cd ../.. && pwd)/build/poa/geth
pinned=$(awk '$1 == "require" { print substr($3, 2) }' go.mod)

version() { "$1" version 2>/dev/null | awk '$1 == "Version:" { print $2 }'; }

if found=$(command -v geth) && [[ $(version "$found") == 1.1[0-3].* ]]; then
  echo "geth $(version "$found"): $found"
elif [ "$(version "$program")" = "$pinned-stable" ]; then
  echo "geth $pinned: $program"
else
  # A part of it reaches into Go's runtime, which linkers since Go 1.23 let pass only if told.
  options=$(go tool link -h 2>&1 || true)
  flags=
  if [[ $options == *checklinkname* ]]; then flags=-checklinkname=0; fi
  build_with_go geth "$pinned" "$program" github.com/ethereum/go-ethereum/cmd/geth \
    "a geth 1.10 to 1.13" -ldflags="$flags"
fi
