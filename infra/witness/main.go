// Checks a .tlog-proof, or that a tree has only grown, with libraries of others alone.
//
//	tlogcheck inclusion PROOF ENTRY VKEY     ENTRY in hexadecimal; prints index, size and root
//	tlogcheck consistency OLD NEW ROOT ROOT HASH…     sizes, roots and hashes in Base64
package main

import (
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

func must[T any](value T, err error) T {
	check(err)
	return value
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func hash(text string) []byte { return must(base64.StdEncoding.DecodeString(text)) }

func number(text string) uint64 { return must(strconv.ParseUint(text, 10, 64)) }

func inclusion(file, entry, vkey string) {
	head, signed, _ := strings.Cut(string(must(os.ReadFile(file))), "\n\n")
	lines := strings.Split(head, "\n")
	if lines[0] != "c2sp.org/tlog-proof@v1" {
		check(fmt.Errorf("not a tlog-proof"))
	}
	lines = lines[1:]
	if strings.HasPrefix(lines[0], "extra ") {
		lines = lines[1:]
	}
	var hashes [][]byte
	for _, line := range lines[1:] {
		hashes = append(hashes, hash(line))
	}
	verifier := must(note.NewVerifier(vkey))
	opened := must(note.Open([]byte(signed), note.VerifierList(verifier)))
	checkpoint := strings.Split(opened.Text, "\n")
	index, size := number(strings.TrimPrefix(lines[0], "index ")), number(checkpoint[1])
	leaf := rfc6962.DefaultHasher.HashLeaf(must(hex.DecodeString(entry)))
	check(proof.VerifyInclusion(
		rfc6962.DefaultHasher, index, size, leaf, hashes, hash(checkpoint[2])))
	fmt.Println(checkpoint[0], index, size, checkpoint[2], len(opened.UnverifiedSigs))
}

func main() {
	arguments := os.Args[2:]
	switch os.Args[1] {
	case "inclusion":
		inclusion(arguments[0], arguments[1], arguments[2])
	case "consistency":
		var hashes [][]byte
		for _, each := range arguments[4:] {
			hashes = append(hashes, hash(each))
		}
		check(proof.VerifyConsistency(rfc6962.DefaultHasher, number(arguments[0]),
			number(arguments[1]), hashes, hash(arguments[2]), hash(arguments[3])))
	}
}
