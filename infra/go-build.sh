# Sourced by the scripts that build a server with Go, in the folder of its go.mod and go.sum.

# build_with_go NAME VERSION PROGRAM PACKAGE OTHERWISE [OPTION…]: build what the modules pin.
build_with_go() {
  local name=$1 version=$2 program=$3 package=$4 otherwise=$5 folder
  shift 5
  folder=$(dirname "$program")
  if ! command -v go >/dev/null; then
    echo "$name needs Go 1.21 or newer to be built, or $otherwise on the PATH" >&2
    exit 1
  fi
  echo "Building $name $version (about three minutes)"
  # What is downloaded and compiled on the way stays in this folder, and goes when it is done.
  export GOPATH="$folder/go" GOCACHE="$folder/go/cache"
  mkdir -p "$folder"
  go build -mod=readonly -modcacherw -trimpath -buildvcs=false "$@" -o "$program.part" "$package" \
    2> "$folder/build.log" || { cat "$folder/build.log" >&2; exit 1; }
  mv "$program.part" "$program"
  rm -rf "$folder/go"
  echo "$name $version: $program"
}
