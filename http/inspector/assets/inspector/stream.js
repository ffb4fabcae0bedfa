// One event stream, from opening to its end. An EventSource of its own, since
// an ended one is never used again: going on is the user's choice.
import { crowded, streamIs } from './crowd.js';
import { explainError } from './failures.js';
import { diagnose } from './diagnosis.js';
import { askForToken, token } from './token.js';
import { TokenSource } from './tokensource.js';

const late = 3_000; // ms without any event: are all of the browser's connections taken?
const slow = 8_000; // ms without any event: say what may be in the way
const silence = 65_000; // ms; a ping comes every 20 s, so three were missed

export class Stream {
  #source;
  #on;
  #url;
  #timer;
  #waiting = true; // for the first event
  #ready = false;

  /**
   * Opens the stream at a URL. Calls
   *   on.state(name)      'connecting', 'crowded', 'slow', 'binding', 'live', 'silent'
   *   on.message(data)    the data of a message event, as text
   *   on.ended(failure)   once, last; never after close()
   */
  constructor(url, on) {
    this.#url = url;
    this.#on = on;
    this.#source = token() ? new TokenSource(url, token()) : new EventSource(url);
    this.#listen();
    this.#watch(slow, 'slow');
    setTimeout(() => this.#late(), late);
    on.state('connecting');
  }

  /** Ends the stream by the user's wish: nothing is called any more. */
  close() {
    this.#end();
    this.#on = null;
  }

  #end() {
    clearTimeout(this.#timer);
    this.#source.close();
    this.#waiting = false;
    streamIs(false);
  }

  async #late() {
    if (!this.#waiting || !(await crowded()) || !this.#waiting) return;
    clearTimeout(this.#timer);
    this.#on.state('crowded');
  }

  #listen() {
    const source = this.#source;
    source.addEventListener('ping', () => this.#alive());
    source.addEventListener('ready', () => {
      this.#ready = true;
      this.#alive();
    });
    source.addEventListener('message', (event) => {
      this.#on?.message(event.data);
    });
    source.addEventListener('error', (event) => this.#broke(event));
  }

  #alive() {
    this.#waiting = false;
    streamIs(true);
    this.#watch(silence, 'silent');
    this.#on?.state(this.#ready ? 'live' : 'binding');
  }

  #watch(patience, state) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.#on?.state(state), patience);
  }

  // The server's error event has data; the browser's own has none. Closing at
  // once keeps the browser from connecting again by itself.
  async #broke(event) {
    this.#end();
    const told = typeof event.data === 'string';
    const failure = told ? explainError(event.data) : await diagnose(this.#url);
    if (failure.code === 'Unauthorized' || failure.code === 'TokenExpired') askForToken();
    this.#on?.ended(failure);
    this.#on = null;
  }
}
