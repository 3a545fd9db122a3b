#!/usr/bin/env bash
# Kubo for the tests and the local network: the `ipfs` on the PATH, or build/kubo/ipfs, built from
# the modules that go.mod and go.sum pin.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(cd ../.. && pwd)/build/kubo
pinned=$(awk '$1 == "require" && $2 == "github.com/ipfs/kubo" { print substr($3, 2) }' go.mod)

if found=$(command -v ipfs); then
  echo "Kubo $("$found" version --number): $found"
elif [ "$("$folder/ipfs" version --number 2>/dev/null)" = "$pinned" ]; then
  echo "Kubo $pinned: $folder/ipfs"
elif ! command -v go >/dev/null; then
  echo "Kubo needs Go 1.21 or newer to be built, or an ipfs on the PATH" >&2
  exit 1
else
  echo "Building Kubo $pinned (about three minutes)"
  # What is downloaded and compiled on the way stays in this folder, and goes when it is done.
  export GOPATH="$folder/go" GOCACHE="$folder/go/cache"
  mkdir -p "$folder"
  go build -mod=readonly -modcacherw -trimpath -buildvcs=false -o "$folder/ipfs.part" \
    github.com/ipfs/kubo/cmd/ipfs 2> "$folder/build.log" || { cat "$folder/build.log" >&2; exit 1; }
  mv "$folder/ipfs.part" "$folder/ipfs"
  rm -rf "$folder/go"
  echo "Kubo $pinned: $folder/ipfs"
fi
