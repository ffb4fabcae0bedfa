// The table of streams: who, what, how fast, how far behind.
import { button, byId, make, setText } from '../shared/dom.js';
import { bytes, count, rate } from '../shared/format.js';
import { Pace } from './pace.js';
import { Rows } from './rows.js';
import { age, mood, short } from './tree.js';
import { nameParts } from '../shared/names.js';

const atOnce = 100; // rows before a button asks for more
const young = 10_000; // ms
const muchWaiting = 64 << 10; // bytes of lag that stand out

const orders = {
  age: (a, b) => b.age - a.age,
  lag: (a, b) => b.waitingBytes - a.waitingBytes || b.waiting - a.waiting || b.age - a.age,
  rate: (a, b) => b.rate - a.rate || b.age - a.age,
};

export class Streams {
  #rows;
  #on;
  #paces = new Map(); // id → Pace of its messages, of the streams in the latest picture
  #streams = [];
  #picture = null;
  #most = atOnce;

  /** on.end(stream) and on.crash(stream) are called for the buttons. */
  constructor(on) {
    this.#on = on;
    this.#rows = new Rows(byId('streams'), (stream) => this.#row(stream));
    byId('streams-filter').addEventListener('input', () => this.#draw());
    byId('streams-order').addEventListener('change', () => this.#draw());
    byId('streams-more').addEventListener('click', () => {
      this.#most += atOnce;
      this.#draw();
    });
  }

  show(picture) {
    this.#streams = picture.streams.map((stream) => ({ ...stream, rate: this.#paces.get(stream.id).perSecond }));
    this.#picture = picture;
    this.#draw();
  }

  /** Takes the counters of a picture, which need not be shown. */
  sample(picture) {
    const now = Date.parse(picture.time);
    const before = this.#paces;
    this.#paces = new Map(picture.streams.map(({ id, age, messages }) => {
      const pace = before.get(id) ?? new Pace();
      const lived = Math.max(1000, age / 1e6); // ms
      if (!before.has(id) && lived < young) pace.add(now - lived, 0); // its rate since it began
      pace.add(now, messages);
      return [id, pace];
    }));
  }

  #draw() {
    if (!this.#picture) return;
    const words = byId('streams-filter').value.trim().toLowerCase();
    const found = words ? this.#streams.filter((stream) => textOf(stream).includes(words)) : this.#streams;
    const sorted = found.toSorted(orders[byId('streams-order').value]);
    this.#rows.show(sorted.slice(0, this.#most), (stream) => stream.id);
    this.#drawCounts(found.length, words);
  }

  #drawCounts(found, words) {
    const all = Math.max(this.#picture.stats.Streams, this.#streams.length);
    setText(byId('streams-count'), count(all));
    const notes = [];
    if (words) notes.push(`${count(found)} found`);
    if (all > this.#streams.length) notes.push(`the ${count(this.#streams.length)} that lag most`);
    setText(byId('streams-shown'), notes.join(' among '));
    byId('no-streams').hidden = found > 0;
    setText(byId('no-streams'), words ? 'No stream matches the filter.' : 'No stream is open.');
    const more = byId('streams-more');
    more.hidden = found <= this.#most;
    if (!more.hidden) setText(more, `${count(found - this.#most)} more…`);
  }

  #row(stream) {
    const number = (name) => make('td', { class: 'number', 'data-name': name });
    const parts = {
      state: make('span', { class: 'mood' }), rate: number('Rate'), lag: number('Lag'), age: number('Age'),
      crash: button('Crash…', () => this.#on.crash(stream), { class: 'quiet small chaos', 'aria-label': `Crash an actor of stream ${short(stream.id)}…` }),
    };
    const element = make('tr', { class: 'fresh', 'data-stream': stream.id },
      make('td', { class: 'client' }, make('span', { class: 'address', text: [stream.subject, stream.address || 'unknown'].filter(Boolean).join(' at ') }),
        make('code', { class: 'short', text: short(stream.id), title: `Stream ${stream.id}` })),
      make('td', { class: 'bound' }, ...bindings(stream.bindings)),
      make('td', {}, parts.state), parts.rate, parts.lag, parts.age,
      make('td', { class: 'acts' }, parts.crash,
        button('End…', () => this.#on.end(stream), { class: 'small end', 'aria-label': `End stream ${short(stream.id)}…` })));
    return { element, show: (next) => this.#fill(parts, next) };
  }

  #fill(parts, stream) {
    setText(parts.state, stream.state);
    parts.state.dataset.mood = mood(stream.state);
    setText(parts.rate, rate(stream.rate));
    parts.rate.title = `${count(stream.messages)} messages, ${bytes(stream.bytes)}`;
    setText(parts.lag, stream.waiting > 0 ? `${count(stream.waiting)} · ${bytes(stream.waitingBytes)}` : '–');
    parts.lag.classList.toggle('behind', stream.waitingBytes >= muchWaiting);
    setText(parts.age, age(stream.age));
    parts.crash.hidden = !this.#picture.chaos;
  }
}

const shownBindings = 3;

function bindings(all) {
  const shown = all.slice(0, shownBindings).map(({ exchange, routingKeyPattern }) =>
    make('div', { class: 'bound-line', title: `${exchange} ${routingKeyPattern}` },
      make('span', { class: 'bound-name', text: nameParts(exchange)[1] || exchange }),
      make('code', { text: routingKeyPattern || 'no key' })));
  const rest = all.slice(shownBindings);
  if (rest.length > 0) {
    shown.push(make('div', { class: 'hint', text: `and ${count(rest.length)} more`,
      title: rest.map(({ exchange, routingKeyPattern }) => `${exchange} ${routingKeyPattern}`).join('\n') }));
  }
  return shown;
}

function textOf(stream) {
  const bound = stream.bindings.map(({ exchange, routingKeyPattern }) => `${exchange} ${routingKeyPattern}`);
  return [stream.id, stream.subject ?? '', stream.address ?? '', stream.state, ...bound].join(' ').toLowerCase();
}
