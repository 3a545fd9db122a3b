//go:build tools

// Package kubo pins what `make kubo` builds: go.mod and go.sum follow from this import.
package kubo

import _ "github.com/ipfs/kubo/cmd/ipfs"
