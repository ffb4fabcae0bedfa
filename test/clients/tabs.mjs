// Reads a stream with fetch-event-source in a page whose tab is hidden and shown again once the stream
// is ready. Prints each request it makes, and each event, as a line of JSON; ends at the third
// request, or at the first message after the tab was shown.
//
//   node tabs.mjs default|right 'http://127.0.0.1:12345/api/events/v1/connect/?bindings=…'
const [, , lines, url] = process.argv
const listeners = new Set()
globalThis.window = globalThis
globalThis.document = {
  hidden: false,
  addEventListener: (_, f) => listeners.add(f),
  removeEventListener: (_, f) => listeners.delete(f),
}
const { fetchEventSource } = await import('@microsoft/fetch-event-source')

// The lines that the README and the page give.
const right = {
  openWhenHidden: true,
  onerror(error) { throw error },
}

let requests = 0
await fetchEventSource(url, {
  ...(lines === 'right' ? right : {}),
  async fetch(input, init) {
    const answer = await fetch(input, init)
    print({ request: ++requests, lastEventID: init.headers['last-event-id'] ?? '', status: answer.status })
    if (requests === 3) process.exit(0)
    return answer
  },
  onmessage({ event, data }) {
    print({ event, data })
    if (event === 'ready') switchTabs()
    if (event === 'message') process.exit(0)
  },
})
print({ ended: true })

function switchTabs() {
  document.hidden = true
  for (const f of [...listeners]) f()
  setImmediate(() => {
    document.hidden = false
    for (const f of [...listeners]) f()
    print({ shown: true })
  })
}

function print(line) {
  process.stdout.write(JSON.stringify(line) + '\n')
}
