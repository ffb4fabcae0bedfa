// An event stream whose request bears a token, in a header that an EventSource
// cannot send. It does as much of an EventSource's work as the page needs: it
// dispatches events with their data, and one `error` without data at an end
// that nobody asked for. It never connects again.
export class TokenSource extends EventTarget {
  #asking = new AbortController();
  #name = 'message';
  #data = [];

  constructor(url, token) {
    super();
    this.#read(url, token);
  }

  /** Ends the stream; nothing is dispatched any more. */
  close() {
    this.#asking.abort();
  }

  async #read(url, token) {
    const { signal } = this.#asking;
    try {
      const answer = await fetch(url, { headers: { Accept: 'text/event-stream', Authorization: `Bearer ${token}` }, cache: 'no-store', signal });
      if (answer.ok) await this.#lines(answer.body.pipeThrough(new TextDecoderStream()).getReader());
    } catch {
      // Closed, or the network has gone: told apart below.
    }
    if (!signal.aborted) this.dispatchEvent(new Event('error'));
  }

  async #lines(reader) {
    let rest = '';
    for (;;) {
      const { value, done } = await reader.read();
      if (done) return;
      const lines = (rest + value).split(/\r?\n/);
      rest = lines.pop();
      for (const line of lines) this.#take(line);
    }
  }

  // One line: a field, a comment, or the end of an event.
  #take(line) {
    if (line === '') return this.#dispatch();
    const [, name, value] = /^([^:]*)(?:: ?(.*))?$/s.exec(line);
    if (name === 'event') this.#name = value ?? '';
    else if (name === 'data') this.#data.push(value ?? '');
  }

  #dispatch() {
    const [name, data] = [this.#name || 'message', this.#data];
    [this.#name, this.#data] = ['message', []];
    if (data.length && !this.#asking.signal.aborted) this.dispatchEvent(new MessageEvent(name, { data: data.join('\n') }));
  }
}
