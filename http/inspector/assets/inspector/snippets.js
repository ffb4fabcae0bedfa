// The stream in a program of one's own: code for exactly these bindings.
import { beside } from '../shared/address.js';

// A text as a string of JavaScript and Go alike; JSON's escapes are theirs too.
const quoted = (text) => JSON.stringify(text);

const inJSON = (bindings) => bindings.map((b) => `  {exchange: ${quoted(b.exchange)}, routingKeyPattern: ${quoted(b.routingKeyPattern)}},`).join('\n');

// For a shell: single quotes, each of them in the text written '\''.
const shellQuoted = (text) => `'${text.replaceAll("'", "'\\''")}'`;

const browser = (base, bindings) => `const bindings = [
${inJSON(bindings)}
];

const url = ${quoted(base)} + '?bindings=' + encodeURIComponent(JSON.stringify({bindings}));
const cut = {code: 'the connection broke', retryable: true, retryAfterMs: 10_000};

function listen() {
  const events = new EventSource(url);
  events.addEventListener('ready', () => console.log('listening'));
  events.addEventListener('message', (event) => {
    const {exchange, routingKey, payload} = JSON.parse(event.data);
    console.log(exchange, routingKey, payload);
  });
  events.addEventListener('error', (event) => {
    events.close();
    const {code, message, retryable, retryAfterMs} = event.data ? JSON.parse(event.data) : cut;
    console.error(code, message);
    if (retryable) setTimeout(listen, Math.random() * retryAfterMs); // not all clients at once
  });
}
listen();
`;

const fetching = (base, bindings) => `// npm install @microsoft/fetch-event-source
import {fetchEventSource} from '@microsoft/fetch-event-source';

const bindings = [
${inJSON(bindings)}
];

const url = ${quoted(base)} + '?bindings=' + encodeURIComponent(JSON.stringify({bindings}));
await fetchEventSource(url, {
  openWhenHidden: true, // else it asks once a second, for ever, after a change of tabs
  onmessage({event, data}) {
    if (event === 'message') {
      const {exchange, routingKey, payload} = JSON.parse(data);
      console.log(exchange, routingKey, payload);
    }
    if (event === 'error') console.error(JSON.parse(data)); // {code, message, retryable, retryAfterMs}
  },
  onerror(error) { throw error; }, // to go on, call fetchEventSource anew, after Math.random() * retryAfterMs: that sends no Last-Event-ID
});
`;

const node = (base, bindings) => `// npm install eventsource
import {EventSource} from 'eventsource';

${browser(base, bindings)}`;

const go = (base, bindings) => `package main

import (
	"bufio"
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"net/url"
	"strings"
)

type binding struct {
	Exchange          string \`json:"exchange"\`
	RoutingKeyPattern string \`json:"routingKeyPattern"\`
}

func main() {
	query, err := json.Marshal(map[string][]binding{"bindings": {
${bindings.map((b) => `\t\t{${quoted(b.exchange)}, ${quoted(b.routingKeyPattern)}},`).join('\n')}
	}})
	if err != nil {
		log.Fatal(err)
	}
	answer, err := http.Get(${quoted(base)} + "?bindings=" + url.QueryEscape(string(query)))
	if err != nil {
		log.Fatal(err)
	}
	defer answer.Body.Close()
	if answer.StatusCode != http.StatusOK {
		log.Fatal(answer.Status)
	}

	event := ""
	lines := bufio.NewReader(answer.Body)
	for {
		line, err := lines.ReadString('\\n')
		if err != nil {
			log.Fatal(err) // the stream has ended
		}
		switch name, value, _ := strings.Cut(strings.TrimSpace(line), ": "); name {
		case "event":
			event = value // ping, ready, message or error
		case "data":
			fmt.Println(event, value)
		}
	}
}
`;

const curl = (base, bindings) => `curl --no-buffer --get ${shellQuoted(base)} \\
  --data-urlencode ${shellQuoted(`bindings=${JSON.stringify({ bindings })}`)}
`;

export const languages = [
  { id: 'browser', name: 'EventSource', write: browser, note: 'Runs in any page, from any origin: the stream allows it. Closing at the first error keeps the browser from reconnecting by itself; a random wait up to retryAfterMs keeps many clients from coming back at once.' },
  { id: 'fetch', name: 'fetch-event-source', write: fetching, note: 'For a page that sends headers, such as Authorization. It does not stop by itself when it is told to (204): these lines make it.' },
  { id: 'node', name: 'Node', write: node, note: 'Node 18 or newer, as an ES module (.mjs).' },
  { id: 'go', name: 'Go', write: go, note: 'The standard library only.' },
  { id: 'curl', name: 'curl', write: curl, note: 'Each message is a line of JSON behind “data:”.' },
];

/** The event stream beside this page. */
export const base = () => beside('api/events/v1/connect/');
