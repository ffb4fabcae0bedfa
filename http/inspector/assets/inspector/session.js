// The stream's side of the page: start, stop, its state, its end.
import { streamURL } from './bindings.js';
import { say } from '../shared/clipboard.js';
import { byId, make, setText } from '../shared/dom.js';
import { explainTransport } from './failures.js';
import { alike } from './exchanges.js';
import { nameParts } from '../shared/names.js';
import { hideNotice, showFailure } from './notice.js';
import { Stream } from './stream.js';
import { names } from './suggestions.js';

const texts = {
  idle: 'Not started',
  stopped: 'Stopped',
  connecting: 'Connecting…',
  crowded: 'Waiting in line',
  slow: 'Still connecting…',
  binding: 'Binding…',
  live: 'Live',
  silent: 'Live, but silent',
  ended: 'Ended',
  waiting: 'Reconnecting…',
};

export class Session {
  #stream = null;
  #bindings;
  #on;
  #due = 0; // performance.now() before which the server wants no new stream of ours
  #timer = null; // of a reconnect that waits for it
  state = 'idle';

  /**
   * Calls on.message(data), on.changed() after each change of state,
   * on.refused(exchange, code) with the exchange that a failure names and the
   * failure's code, or with '' once that is settled.
   */
  constructor(bindings, on) {
    this.#bindings = bindings;
    this.#on = on;
    byId('start').addEventListener('click', () => this.start());
    byId('stop').addEventListener('click', () => this.stop());
  }

  get open() {
    return this.#stream !== null || this.#timer !== null;
  }

  start() {
    this.#stream?.close();
    this.#cancel();
    if (this.#bindings.list.length === 0) return;
    this.dismiss();
    this.#stream = new Stream(streamURL(this.#bindings.list), {
      state: (name) => this.#to(name),
      message: (data) => this.#on.message(data),
      ended: (failure) => this.#ended(failure),
    });
    this.#to('connecting');
  }

  // Starts again, at the random time that spreads the return of many pages.
  #reconnect() {
    const wait = this.#due - performance.now();
    if (wait <= 0) return this.start();
    this.dismiss();
    this.#cancel();
    this.#timer = setTimeout(() => this.start(), wait);
    this.#to('waiting');
  }

  #cancel() {
    clearTimeout(this.#timer);
    this.#timer = null;
  }

  stop() {
    if (!this.open) return;
    const active = document.activeElement;
    this.#stream?.close();
    this.#stream = null;
    this.#cancel();
    this.#to('stopped');
    if (active === byId('stop')) byId('start').focus();
  }

  toggle() {
    if (this.open) this.stop();
    else this.start();
  }

  /** The bindings have changed: an open stream goes on with the new ones. */
  rebind() {
    if (this.open && this.#bindings.list.length) this.start();
    else if (this.open) this.stop();
    else this.draw();
  }

  dismiss() {
    hideNotice(byId('notice'));
    this.#on.refused('');
  }

  #to(state) {
    if (state === 'crowded') showFailure(byId('notice'), explainTransport('Crowded'), []);
    else if (this.state === 'crowded' && state !== 'ended') this.dismiss();
    this.state = state;
    this.draw();
    this.#on.changed();
  }

  draw() {
    byId('state').dataset.state = this.state;
    setText(byId('state-text'), texts[this.state]);
    byId('start').hidden = this.open;
    byId('start').disabled = this.#bindings.list.length === 0;
    byId('stop').hidden = !this.open;
  }

  #ended(failure) {
    this.#stream = null;
    this.#due = performance.now() + Math.random() * (failure.retryAfterMs ?? 0);
    const named = this.#named(failure.message);
    showFailure(byId('notice'), failure, this.#acts(failure, named));
    if (!inSight(byId('notice'))) say(failure.title);
    this.#on.refused(named && !failure.retryable ? named.exchange : '', failure.code);
    this.#to('ended');
    byId('state-text').append(make('span', { class: 'wide', text: `: ${failure.code}` })); // on a phone the notice has it
  }

  // The binding whose exchange a message names, in quotes as the server does.
  #named(message) {
    return this.#bindings.list.find(({ exchange }) => message.includes(JSON.stringify(exchange)));
  }

  // What a click can do about a failure.
  #acts(failure, named) {
    if (failure.retryable) return [{ text: 'Reconnect', act: () => this.#reconnect(), primary: true }];
    if (!named) return [{ text: 'Try again', act: () => this.start() }];
    const better = failure.code === 'BindingRefused' ? alike(named.exchange, names()) : [];
    return [
      ...better.map((name, i) => ({ text: `Use ${nameParts(name)[1]}`, act: () => this.#mend(() => this.#bindings.replace(named, name)), primary: i === 0 })),
      { text: 'Remove this binding', act: () => this.#mend(() => this.#bindings.remove(named)) },
      { text: 'Try again', act: () => this.start() },
    ];
  }

  #mend(change) {
    this.dismiss();
    change();
    this.start();
  }
}

// Whether an element is seen: on a phone an opened message lies above all else.
function inSight(element) {
  const { left, top } = element.getBoundingClientRect();
  return element.contains(document.elementFromPoint(left + 8, top + 8));
}
