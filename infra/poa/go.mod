// Pins geth and all that it is built from; 1.13 is the last series with Clique.
module radledger.invalid/poa

go 1.21

require github.com/ethereum/go-ethereum v1.13.15
