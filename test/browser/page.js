// What a page of an application does: it opens an EventSource and listens. The
// tests read the log, and close.
const log = []
let source

function listen(url, Source = EventSource, options = {}) {
  source = new Source(url, options)
  source.addEventListener('open', () => log.push({ name: 'open' }))
  for (const name of ['ping', 'ready', 'message', 'error']) {
    source.addEventListener(name, (event) => {
      // An error without data is the browser's own: the connection has ended.
      log.push({ name, data: event.data, id: event.lastEventId, state: source.readyState })
    })
  }
}

// seen reports whether an event has come; with data for errors of ours.
const seen = (name) => log.some((e) => e.name === name && (name !== 'error' || e.data !== undefined))
const closed = () => source.readyState === 2
