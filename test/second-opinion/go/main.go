// Reads what `holdpoint ledger export-tiles` writes with the Go project's own packages for transparency logs:
// golang.org/x/mod/sumdb/note opens the checkpoint, sumdb/tlog reads hashes through the tiles and checks that each
// entry is in the tree, and that every shorter tree is a beginning of it.
//
//	go run main.go KEY DIR
package main

import (
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const height = 8

// directory is a tlog.TileReader. Tile paths of the sumdb begin with the height, those of C2SP do not.
type directory string

func (d directory) Height() int { return height }

func (d directory) ReadTiles(tiles []tlog.Tile) ([][]byte, error) {
	var all [][]byte
	for _, tile := range tiles {
		path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
		data, err := os.ReadFile(filepath.Join(string(d), path))
		if err != nil {
			return nil, err
		}
		all = append(all, data)
	}
	return all, nil
}

func (d directory) SaveTiles([]tlog.Tile, [][]byte) {}

// entries gives the leaves of the bundles in order.
func entries(dir string, size int64) ([][]byte, error) {
	var leaves [][]byte
	for n := int64(0); n*256 < size; n++ {
		width := size - n*256
		if width > 256 {
			width = 256
		}
		tile := tlog.Tile{H: height, L: 0, N: n, W: int(width)}
		bundle, err := os.ReadFile(filepath.Join(dir, strings.Replace(tile.Path(), "tile/8/0/", "tile/entries/", 1)))
		if err != nil {
			return nil, err
		}
		for len(bundle) >= 2 {
			end := 2 + int(binary.BigEndian.Uint16(bundle))
			if end > len(bundle) {
				return nil, fmt.Errorf("bundle %d ends inside an entry", n)
			}
			leaves = append(leaves, bundle[2:end])
			bundle = bundle[end:]
		}
	}
	if int64(len(leaves)) != size {
		return nil, fmt.Errorf("%d entries in the bundles of a tree of %d", len(leaves), size)
	}
	return leaves, nil
}

func verify(key, dir string) (int64, error) {
	verifier, err := note.NewVerifier(key)
	if err != nil {
		return 0, err
	}
	text, err := os.ReadFile(filepath.Join(dir, "checkpoint"))
	if err != nil {
		return 0, err
	}
	opened, err := note.Open(text, note.VerifierList(verifier))
	if err != nil {
		return 0, err
	}
	lines := strings.Split(opened.Text, "\n")
	var size int64
	if _, err := fmt.Sscan(lines[1], &size); err != nil {
		return 0, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return 0, err
	}
	// Checks each tile that it reads against the root.
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, directory(dir))
	leaves, err := entries(dir, size)
	if err != nil {
		return 0, err
	}
	for seq, leaf := range leaves {
		proof, err := tlog.ProveRecord(size, int64(seq), reader)
		if err != nil {
			return 0, fmt.Errorf("entry %d: %w", seq, err)
		}
		if err := tlog.CheckRecord(proof, size, root, int64(seq), tlog.RecordHash(leaf)); err != nil {
			return 0, fmt.Errorf("entry %d: %w", seq, err)
		}
		shorter := int64(seq) + 1
		older, err := tlog.TreeHash(shorter, reader)
		if err != nil {
			return 0, fmt.Errorf("tree of %d: %w", shorter, err)
		}
		grown, err := tlog.ProveTree(size, shorter, reader)
		if err != nil {
			return 0, fmt.Errorf("tree of %d: %w", shorter, err)
		}
		if err := tlog.CheckTree(grown, size, root, shorter, older); err != nil {
			return 0, fmt.Errorf("tree of %d: %w", shorter, err)
		}
	}
	return size, nil
}

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: main KEY DIR")
		os.Exit(2)
	}
	size, err := verify(os.Args[1], os.Args[2])
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
	fmt.Println("verified", size)
}
