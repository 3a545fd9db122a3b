#!/usr/bin/env bash
# For the tests of logs: the witness litewitness, and tlogcheck, which checks proofs with Go's
# libraries; built from the modules that go.mod and go.sum pin.
set -euo pipefail
cd "$(dirname "$0")"
source ../go-build.sh
folder=$(cd ../.. && pwd)/build/witness
pinned=$(awk '$1 == "filippo.io/torchwood" { print substr($2, 2) }' go.mod)
source=$(cat go.mod go.sum main.go | cksum)

if [ "$(cat "$folder/source" 2>/dev/null)" = "$source" ]; then
  echo "litewitness $pinned: $folder/litewitness"
else
  build_with_go tlogcheck "$pinned" "$folder/tlogcheck" . "a tlogcheck"
  build_with_go litewitness "$pinned" "$folder/litewitness" \
    filippo.io/torchwood/cmd/litewitness "a litewitness"
  echo "$source" > "$folder/source"
fi
