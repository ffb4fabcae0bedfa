package script

import (
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/rogpeppe/go-internal/testscript"
)

// get makes one request and keeps its answer for expect: status, headers in
// alphabetical order, body. It stands in the transcript too.
//
//	get /api/events/v1/ping
//	expect answer '^200 OK$'
//	expect answer '^Content-Type: application/json'
//	get /__heartbeat__ -method HEAD
func get(w *world, ts *testscript.TestScript, args []string) error {
	if len(args) == 0 {
		return fmt.Errorf("usage: get PATH [-method M] [-header 'NAME: VALUE']")
	}
	set := flags("get")
	method := set.String("method", http.MethodGet, "")
	var headers list
	set.Var(&headers, "header", "")
	if err := set.Parse(args[1:]); err != nil {
		return err
	}
	proxy, err := w.running()
	if err != nil {
		return err
	}
	ctx, cancel := w.bounded()
	defer cancel()
	request, err := http.NewRequestWithContext(ctx, *method, proxy.URL()+args[0], nil)
	if err != nil {
		return err
	}
	for _, line := range headers {
		name, value, _ := strings.Cut(line, ":")
		request.Header.Add(name, strings.TrimSpace(value))
	}
	var kept strings.Builder
	err = answer(io.MultiWriter(&kept, ts.Stdout()), request)
	w.answer = kept.String()
	return err
}

// answer makes the request on a connection of its own, follows no redirect and
// prints what comes back.
func answer(out io.Writer, request *http.Request) error {
	transport := &http.Transport{DisableCompression: true}
	defer transport.CloseIdleConnections()
	response, err := transport.RoundTrip(request)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	fmt.Fprintln(out, response.Status)
	for _, name := range slices.Sorted(maps.Keys(response.Header)) {
		fmt.Fprintf(out, "%s: %s\n", name, strings.Join(response.Header[name], ", "))
	}
	fmt.Fprintln(out)
	_, err = io.Copy(out, response.Body)
	return err
}
