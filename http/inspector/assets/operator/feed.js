// Where the pictures come from: an event stream of the operator's listener.
// It is opened again and again, for as long as the page is open.

import { beside } from '../shared/address.js';

const again = 1000; // ms until the next try
const silence = 6000; // ms without a picture before the stream counts as lost

export class Feed {
  #on;
  #source = null;
  #timer = 0;

  /** on.picture(picture) is called once a second, on.state('live' | 'lost') at each change. */
  constructor(on) {
    this.#on = on;
  }

  open() {
    this.#source?.close();
    this.#source = new EventSource(beside('__tree__/events'));
    this.#source.addEventListener('tree', ({ data }) => this.#came(data));
    // The browser would try again by itself, but not after an HTTP error, and
    // less and less often after the others.
    this.#source.addEventListener('error', () => this.#lost());
    this.#wait(silence);
  }

  #came(data) {
    this.#wait(silence);
    this.#on.state('live');
    this.#on.picture(JSON.parse(data));
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
