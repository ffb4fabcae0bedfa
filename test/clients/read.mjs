// Reads a stream with one of Node's EventSource clients and prints every event
// as a line of JSON. It ends when the client has given up: readyState CLOSED,
// which is what a 204 on reconnecting asks of it.
//
//   node read.mjs eventsource-newest 'http://127.0.0.1:12345/api/events/v1/connect/?bindings=…'
const [module, url] = process.argv.slice(2)
const imported = await import(module)
const EventSource = imported.EventSource ?? imported.default // 1.x is CommonJS
const source = new EventSource(url)

for (const name of ['ping', 'ready', 'message', 'error']) {
  source.addEventListener(name, (event) => {
    // An error without data is the client's own: the connection ended.
    if (event.data !== undefined) print({ name, data: event.data, id: event.lastEventId })
    // Some say that they failed before they close.
    setImmediate(() => source.readyState === EventSource.CLOSED && process.exit(0))
  })
}

// While a client waits to reconnect, nothing else may keep Node alive.
setInterval(() => {}, 60_000)

function print(event) {
  process.stdout.write(JSON.stringify(event) + '\n')
}
