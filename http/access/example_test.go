package access_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/actors/amqp"
	httpapi "github.com/taskcluster/events-proxy/http"
	"github.com/taskcluster/events-proxy/http/access"
)

// A program that admits who has a token to what it grants.
func Example() {
	folder, err := os.MkdirTemp("", "")
	if err != nil {
		panic(err)
	}
	defer os.RemoveAll(folder)
	secret, file := []byte("thirty-two bytes or more, at random"), filepath.Join(folder, "secret")
	if err := os.WriteFile(file, secret, 0o600); err != nil {
		panic(err)
	}
	guard, err := access.New(access.Options{SecretFile: file})
	if err != nil {
		panic(err)
	}
	broker := amqp.NewMemory()
	defer broker.Close()
	system, err := actors.Open(actors.Options{Dialer: broker})
	if err != nil {
		panic(err)
	}
	defer system.Close()
	server := httptest.NewServer(httpapi.New(system, httpapi.Options{Admit: guard.Admit}))
	defer server.Close()

	// Elsewhere, for ada:
	signer, err := access.NewSecretSigner(secret, "")
	if err != nil {
		panic(err)
	}
	grant := access.Grant{Exchange: "exchange/builds/*", Pattern: "primary.#"}
	token, err := signer.Sign(access.NewClaims("ada", time.Now().Add(5*time.Minute), grant))
	if err != nil {
		panic(err)
	}

	request, err := http.NewRequest("GET", server.URL+`/v1/connect/?bindings={"bindings":[{"exchange":"exchange/builds/new","routingKeyPattern":"%23"}]}`, nil)
	if err != nil {
		panic(err)
	}
	request.Header.Set("Authorization", "Bearer "+token)
	answer, err := http.DefaultClient.Do(request)
	if err != nil {
		panic(err)
	}
	defer answer.Body.Close()
	event, err := io.ReadAll(answer.Body)
	if err != nil {
		panic(err)
	}
	fmt.Println(strings.Split(string(event), "\n")[1])
	// Output: data: {"code":"Unauthorized","message":"The token of the request gives no access to these bindings","retryable":false}
}
