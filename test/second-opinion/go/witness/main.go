// A witness of c2sp.org/tlog-witness made of the Go project's own packages: golang.org/x/mod/sumdb/note opens
// checkpoints, sumdb/tlog checks that one tree continues another, crypto/ed25519 cosigns. It remembers in memory: it is
// here to disagree, not to be relied on.
//
//	go run main.go LOGKEY NAME SEED     prints "URL VKEY", serves until its standard input ends
//	go run main.go check VKEY LOGKEY    reads a cosigned checkpoint, prints "cosigned SIZE at TIME"
package main

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strconv"
	"strings"
	"sync"

	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const at = uint64(1764154800)

// cosignatures verifies c2sp.org/tlog-cosignature as a note.Verifier.
type cosignatures struct {
	name string
	hash uint32
	key  ed25519.PublicKey
	time *uint64
}

func (c cosignatures) Name() string    { return c.name }
func (c cosignatures) KeyHash() uint32 { return c.hash }
func (c cosignatures) Verify(msg, sig []byte) bool {
	if len(sig) != 72 {
		return false
	}
	*c.time = binary.BigEndian.Uint64(sig)
	return ed25519.Verify(c.key, message(*c.time, msg), sig[8:])
}

func message(time uint64, text []byte) []byte {
	return append([]byte(fmt.Sprintf("cosignature/v1\ntime %d\n", time)), text...)
}

func keyHash(name string, typed []byte) []byte {
	sum := sha256.Sum256(append([]byte(name+"\n"), typed...))
	return sum[:4]
}

type tree struct {
	size int64
	root tlog.Hash
}

func parseTree(text string) (origin string, t tree, err error) {
	lines := strings.Split(text, "\n")
	if len(lines) != 4 || lines[3] != "" {
		return "", tree{}, errors.New("not a checkpoint")
	}
	if t.size, err = strconv.ParseInt(lines[1], 10, 64); err != nil {
		return "", tree{}, err
	}
	t.root, err = tlog.ParseHash(lines[2])
	return lines[0], t, err
}

type witness struct {
	sync.Mutex
	log  note.Verifier
	name string
	key  ed25519.PrivateKey
	last tree
}

func (w *witness) ServeHTTP(res http.ResponseWriter, req *http.Request) {
	w.Lock()
	defer w.Unlock()
	body, err := io.ReadAll(req.Body)
	head, signed, found := bytes.Cut(body, []byte("\n\n"))
	if err != nil || !found || req.Method != "POST" || req.URL.Path != "/add-checkpoint" {
		http.Error(res, "bad request", 400)
		return
	}
	lines := strings.Split(string(head), "\n")
	old, err := strconv.ParseInt(strings.TrimPrefix(lines[0], "old "), 10, 64)
	if err != nil {
		http.Error(res, "bad old size", 400)
		return
	}
	var proof tlog.TreeProof
	for _, line := range lines[1:] {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			http.Error(res, "bad hash", 400)
			return
		}
		proof = append(proof, hash)
	}
	opened, err := note.Open(signed, note.VerifierList(w.log))
	if err != nil {
		http.Error(res, err.Error(), 403)
		return
	}
	origin, next, err := parseTree(opened.Text)
	if err != nil || origin != w.log.Name() {
		http.Error(res, "unknown origin", 404)
		return
	}
	if old != w.last.size {
		res.Header().Set("Content-Type", "text/x.tlog.size")
		res.WriteHeader(409)
		fmt.Fprintf(res, "%d\n", w.last.size)
		return
	}
	if old == next.size && w.last.root != next.root {
		http.Error(res, "another root", 422)
		return
	}
	if old > 0 && old < next.size {
		if err := tlog.CheckTree(proof, next.size, next.root, old, w.last.root); err != nil {
			http.Error(res, err.Error(), 422)
			return
		}
	}
	w.last = next
	packed := append([]byte{}, keyHash(w.name, append([]byte{4}, w.key.Public().(ed25519.PublicKey)...))...)
	packed = binary.BigEndian.AppendUint64(packed, at)
	packed = append(packed, ed25519.Sign(w.key, message(at, []byte(opened.Text)))...)
	fmt.Fprintf(res, "\u2014 %s %s\n", w.name, base64.StdEncoding.EncodeToString(packed))
}

func serve(logKey, name, seed string) error {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	sum := sha256.Sum256([]byte(seed))
	key := ed25519.NewKeyFromSeed(sum[:])
	typed := append([]byte{4}, key.Public().(ed25519.PublicKey)...)
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return err
	}
	vkey := fmt.Sprintf("%s+%s+%s", name, hex.EncodeToString(keyHash(name, typed)), base64.StdEncoding.EncodeToString(typed))
	fmt.Printf("http://%s %s\n", listener.Addr(), vkey)
	go http.Serve(listener, &witness{log: log, name: name, key: key})
	_, err = io.Copy(io.Discard, os.Stdin)
	return err
}

func check(vkey, logKey string) error {
	log, err := note.NewVerifier(logKey)
	if err != nil {
		return err
	}
	parts := strings.SplitN(vkey, "+", 3)
	typed, err := base64.StdEncoding.DecodeString(parts[2])
	if err != nil || len(typed) != 33 || typed[0] != 4 {
		return errors.New("not a key of a witness")
	}
	var time uint64
	hash := binary.BigEndian.Uint32(keyHash(parts[0], typed))
	cosigner := cosignatures{parts[0], hash, ed25519.PublicKey(typed[1:]), &time}
	signed, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	opened, err := note.Open(signed, note.VerifierList(log, cosigner))
	if err != nil {
		return err
	}
	if len(opened.Sigs) != 2 {
		return fmt.Errorf("%d of 2 signatures", len(opened.Sigs))
	}
	_, t, err := parseTree(opened.Text)
	fmt.Printf("cosigned %d at %d\n", t.size, time)
	return err
}

func main() {
	var err error
	if os.Args[1] == "check" {
		err = check(os.Args[2], os.Args[3])
	} else {
		err = serve(os.Args[1], os.Args[2], os.Args[3])
	}
	if err != nil {
		fmt.Println("refused:", err)
		os.Exit(1)
	}
}
