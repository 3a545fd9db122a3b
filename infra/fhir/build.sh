#!/usr/bin/env bash
# For the tests of what is written as FHIR: HAPI's validator and what it needs, from Maven.
set -euo pipefail
cd "$(dirname "$0")"
folder=$(cd ../.. && pwd)/build/fhir-validator
source=$(cksum < pom.xml)

if [ "$(cat "$folder/source" 2>/dev/null)" != "$source" ]; then
  command -v mvn java > /dev/null || {
    echo "HAPI's validator needs Maven and Java 17 or later: apt-get install maven" >&2
    exit 1
  }
  rm -rf "$folder"
  echo "Fetching HAPI's validator (145 MB, about a minute)"
  mvn --quiet --batch-mode --strict-checksums --file pom.xml dependency:copy-dependencies \
    -DoutputDirectory="$folder/lib" ${MAVEN_REPOSITORY:+-Dmaven.repo.local="$MAVEN_REPOSITORY"}
  echo "$source" > "$folder/source"
fi
echo "HAPI's validator: $folder"
