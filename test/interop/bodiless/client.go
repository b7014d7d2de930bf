// Usage: client (<method> <url> <token> <none or empty>)...   Prints the status of each request, a line each.
package main

import (
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
)

func main() {
	for args := os.Args[1:]; len(args) >= 4; args = args[4:] {
		var body io.Reader
		if args[3] == "empty" {
			// A reader whose length net/http cannot see.
			body = io.MultiReader(strings.NewReader(""))
		}
		request, err := http.NewRequest(args[0], args[1], body)
		if err != nil {
			panic(err)
		}
		request.Header.Set("Authorization", "Bearer "+args[2])
		answer, err := http.DefaultClient.Do(request)
		if err != nil {
			panic(err)
		}
		answer.Body.Close()
		fmt.Println(answer.StatusCode)
	}
}
