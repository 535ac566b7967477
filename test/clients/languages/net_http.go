// Go's own client, which the SDKs for Go use.
package main

import (
	"bufio"
	"bytes"
	"encoding/base64"
	"fmt"
	"io"
	"log"
	"net/http"
	"os"
	"strings"
)

const lineBytesMax = 8 << 20

// Who leaves does so once this was said.
var enough = []byte("Hel")

func main() {
	file, err := os.Open(os.Args[2])
	must(err)
	lines := bufio.NewScanner(file)
	lines.Buffer(nil, lineBytesMax)
	for lines.Scan() {
		question := strings.Split(lines.Text(), "\t")
		body, err := base64.StdEncoding.DecodeString(question[2])
		must(err)
		status, said := ask(body, question[1])
		fmt.Printf("%s\t%d\t%s\n", question[0], status, base64.StdEncoding.EncodeToString(said))
	}
	must(lines.Err())
}

func ask(body []byte, how string) (int, []byte) {
	var content io.Reader = bytes.NewReader(body)
	if how == "pieces" {
		// Of this one the client does not know the length.
		content = io.MultiReader(content)
	}
	request, err := http.NewRequest("POST", os.Args[1]+"/v1/chat/completions", content)
	must(err)
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Authorization", "Bearer sk-own")
	answer, err := http.DefaultClient.Do(request)
	must(err)
	defer answer.Body.Close()
	if how != "leave" {
		said, err := io.ReadAll(answer.Body)
		must(err)
		return answer.StatusCode, said
	}
	var said []byte
	for piece := make([]byte, 1); !bytes.Contains(said, enough); said = append(said, piece...) {
		_, err := io.ReadFull(answer.Body, piece)
		must(err)
	}
	return answer.StatusCode, said
}

func must(err error) {
	if err != nil {
		log.Fatal(err)
	}
}
