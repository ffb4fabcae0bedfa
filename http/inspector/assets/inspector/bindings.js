// The bindings that the user has put together: a list without doubles, each
// {exchange, routingKeyPattern} as the event stream wants it.
import { beside } from '../shared/address.js';

const most = 100; // of one stream; the server's default limit
const longest = 255; // bytes of an exchange's name or a pattern, AMQP's limit

const encoder = new TextEncoder();

/** What is wrong with a binding, as a sentence, or '' if nothing is. */
export function problem({ exchange, routingKeyPattern }) {
  if (exchange === '') return 'Name an exchange first.';
  for (const [what, text] of [['exchange', exchange], ['routing key pattern', routingKeyPattern]]) {
    const size = encoder.encode(text).length;
    if (size > longest) return `The ${what} has ${size} bytes; a broker takes ${longest} at most.`;
    if (/\p{Cc}/u.test(text)) return `The ${what} holds a control character; a broker takes none.`;
  }
  return '';
}

const equal = (a, b) => a.exchange === b.exchange && a.routingKeyPattern === b.routingKeyPattern;

export class Bindings {
  #list = [];
  #changed;

  /** Calls changed() after each change. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The bindings, in the order in which they were added. */
  get list() {
    return this.#list;
  }

  /** Adds bindings; says as a sentence why one of them was left out, or ''. */
  add(...added) {
    let said = '';
    const before = this.#list.length;
    for (const { exchange, routingKeyPattern } of added) {
      const binding = { exchange, routingKeyPattern };
      const wrong = problem(binding);
      if (wrong) said = wrong;
      else if (this.#list.some((b) => equal(b, binding))) said = 'This binding is in the list already.';
      else if (this.#list.length >= most) said = `A stream takes ${most} bindings at most.`;
      else this.#list = [...this.#list, binding];
    }
    if (this.#list.length > before) this.#changed();
    return said;
  }

  remove(binding) {
    this.#list = this.#list.filter((b) => !equal(b, binding));
    this.#changed();
  }

  /** Puts other bindings in the place of one, at its position. */
  replace(binding, exchange) {
    const instead = { ...binding, exchange };
    this.#list = this.#list
      .map((b) => (equal(b, binding) ? instead : b))
      .filter((b, i, all) => all.findIndex((other) => equal(other, b)) === i);
    this.#changed();
  }

  clear() {
    this.#list = [];
    this.#changed();
  }
}

/**
 * The bindings in the one order that every client of ours uses: by exchange, then by pattern. Equal
 * sets have equal URLs then, by which a load balancer may send them to one process.
 */
export const canonical = (bindings) => bindings.toSorted((a, b) =>
  order(a.exchange, b.exchange) || order(a.routingKeyPattern, b.routingKeyPattern));

const order = (a, b) => (a < b ? -1 : Number(a > b));

/** The URL of the event stream for these bindings, beside the page. */
export function streamURL(bindings) {
  const url = new URL(beside('api/events/v1/connect/'));
  url.search = `?bindings=${encodeURIComponent(JSON.stringify({ bindings: canonical(bindings) }))}`;
  return url.href;
}
