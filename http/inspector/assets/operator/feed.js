// Where the pictures come from: an event stream of the operator's listener.
// It is opened again and again, for as long as the page is open.

import { beside } from '../shared/address.js';

const again = 1000; // ms until the next try
const silence = 6000; // ms without a picture before the stream counts as lost

export class Feed {
  #on;
  #source = null;
  #timer = 0;

  /**
   * on.picture(picture) is called once a second, on.state('live' | 'lost' | 'denied') at each change;
   * after 'denied' nothing is tried any more.
   */
  constructor(on) {
    this.#on = on;
  }

  open() {
    this.#source?.close();
    this.#source = new EventSource(beside('__tree__/events'));
    this.#source.addEventListener('tree', ({ data }) => this.#came(data));
    // The browser would try again by itself, but not after an HTTP error, and
    // less and less often after the others.
    this.#source.addEventListener('error', () => this.#failed());
    this.#wait(silence);
  }

  #came(data) {
    this.#wait(silence);
    this.#on.state('live');
    this.#on.picture(JSON.parse(data));
  }

  // Only an answer that is no event stream ends a source for good: it is asked what it was. Who has
  // no access is not to be asked for a password once a second.
  async #failed() {
    const source = this.#source;
    const status = source.readyState === EventSource.CLOSED ? await statusOf(source.url) : 0;
    if (source !== this.#source) return;
    if (status === 401 || status === 403) this.#denied();
    else this.#lost();
  }

  #denied() {
    this.#source.close();
    clearTimeout(this.#timer);
    this.#on.state('denied');
  }

  #lost() {
    this.#source.close();
    this.#on.state('lost');
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.open(), again);
  }

  #wait(ms) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#lost(), ms);
  }
}

// The status of the answer to a request, 0 where none comes.
async function statusOf(url) {
  const asking = new AbortController();
  const timeout = setTimeout(() => asking.abort(), silence);
  try {
    return (await fetch(url, { cache: 'no-store', signal: asking.signal })).status;
  } catch {
    return 0;
  } finally {
    clearTimeout(timeout);
    asking.abort(); // the body tells nothing
  }
}
