#!/usr/bin/env bash
# geth for the proof-of-authority chain: a `geth` on the PATH that knows Clique, or build/poa/geth,
# built from the modules that go.mod and go.sum pin.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(cd ../.. && pwd)/build/poa
pinned=$(awk '$1 == "require" { print substr($3, 2) }' go.mod)

version() { "$1" version 2>/dev/null | awk '$1 == "Version:" { print $2 }'; }

if found=$(command -v geth) && [[ $(version "$found") == 1.1[0-3].* ]]; then
  echo "geth $(version "$found"): $found"
elif [ "$(version "$folder/geth")" = "$pinned-stable" ]; then
  echo "geth $pinned: $folder/geth"
elif ! command -v go >/dev/null; then
  echo "geth needs Go 1.21 or newer to be built, or a geth 1.10 to 1.13 on the PATH" >&2
  exit 1
else
  echo "Building geth $pinned (about three minutes)"
  # A part of it reaches into Go's runtime, which linkers since Go 1.23 let pass only if told.
  options=$(go tool link -h 2>&1 || true)
  flags=
  if [[ $options == *checklinkname* ]]; then flags=-checklinkname=0; fi
  # What is downloaded and compiled on the way stays in this folder, and goes when it is done.
  export GOPATH="$folder/go" GOCACHE="$folder/go/cache"
  mkdir -p "$folder"
  go build -mod=readonly -modcacherw -trimpath -buildvcs=false -ldflags="$flags" \
    -o "$folder/geth.part" github.com/ethereum/go-ethereum/cmd/geth 2> "$folder/build.log" \
    || { cat "$folder/build.log" >&2; exit 1; }
  mv "$folder/geth.part" "$folder/geth"
  rm -rf "$folder/go"
  echo "geth $pinned: $folder/geth"
fi
