// Where the pictures come from: an event stream of the operator's listener.
// It is opened again and again, for as long as the page is open.

import { beside } from '../shared/address.js';

const again = 1000; // ms until the next try
const silence = 6000; // ms without a picture before the stream counts as lost
const remembered = 2000; // ms in which a picture comes where the browser knows the password that is asked for

export class Feed {
  #on;
  #source = null;
  #timer = 0;
  #guarded = false; // the source was opened though nothing but a password opens it

  /**
   * on.picture(picture) is called once a second, on.state('live' | 'lost' | 'denied') at each change:
   * 'denied' where the proxy answers and does not let this page in.
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
    this.#wait(silence, () => this.#lost());
  }

  /** Ends it for good. */
  close() {
    clearTimeout(this.#timer);
    this.#source.close();
  }

  #came(data) {
    this.#guarded = false;
    this.#wait(silence, () => this.#lost());
    this.#on.state('live');
    this.#on.picture(JSON.parse(data));
  }

  // An HTTP error ends a source for good. A user without the password is asked for it once.
  #failed() {
    if (this.#guarded && this.#source.readyState === EventSource.CLOSED) this.#denied();
    else this.#lost();
  }

  #denied() {
    clearTimeout(this.#timer);
    this.#on.state('denied');
  }

  #lost() {
    this.#source.close();
    this.#on.state('lost');
    this.#wait(again, () => this.#retry());
  }

  // Where a password is asked for, the browser may ask the user, which takes a person's time.
  async #retry() {
    const status = await statusOf(beside('__tree__/events'));
    this.#guarded = status === 401;
    if (status === 403) return this.#denied();
    if (status !== 200 && !this.#guarded) return this.#lost();
    this.open();
    if (this.#guarded) this.#wait(remembered, () => this.#denied());
  }

  #wait(ms, then) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(then, ms);
  }
}

// The status of the answer to those without credentials, 0 where none comes: no browser asks the
// user for a password because of it.
async function statusOf(url) {
  const asking = new AbortController();
  const timeout = setTimeout(() => asking.abort(), silence);
  try {
    return (await fetch(url, { cache: 'no-store', credentials: 'omit', signal: asking.signal })).status;
  } catch {
    return 0;
  } finally {
    clearTimeout(timeout);
    asking.abort(); // the body tells nothing
  }
}
