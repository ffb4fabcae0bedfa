// What to offer for an exchange: those that streams have shown, those that
// were bound before, and Taskcluster's.
import { known, lookUp } from './exchanges.js';
import { recall, remember } from '../shared/memory.js';

const mostRemembered = 20;
const seen = new Map(); // exchange → messages of it
const refused = new Set(); // since the page was opened

/** Counts a message of an exchange. */
export function sawExchange(exchange) {
  seen.set(exchange, (seen.get(exchange) ?? 0) + 1);
}

/** Remembers exchanges that the broker has bound, for the next visit. */
export function usedExchanges(names) {
  names.forEach((name) => refused.delete(name));
  const all = [...new Set([...names, ...used()])].filter((name) => !lookUp(name));
  remember('exchanges', JSON.stringify(all.slice(0, mostRemembered)));
}

/** Offers an exchange that the broker has refused no more, unless it is bound later. */
export function forgetExchange(exchange) {
  seen.delete(exchange);
  refused.add(exchange);
  remember('exchanges', JSON.stringify(used().filter((name) => name !== exchange)));
}

function used() {
  try {
    const names = JSON.parse(recall('exchanges') ?? '[]');
    return Array.isArray(names) ? names.filter((name) => typeof name === 'string') : [];
  } catch {
    return [];
  }
}

/** All names that are worth offering, the likeliest first. */
export const names = () =>
  [...new Set([...seen.keys(), ...used(), ...known.map(({ name }) => name)])].filter((name) => !refused.has(name));

/** What to offer for the words typed so far: all of them, anywhere in name or meaning. */
export function suggest(typed) {
  const sought = typed.toLowerCase().split(/[\s/]+/).filter(Boolean);
  return names()
    .map((name) => ({ value: name, about: lookUp(name)?.about, tag: seen.has(name) ? 'seen' : lookUp(name) ? '' : 'used before' }))
    .filter(({ value, about }) => sought.every((word) => `${value} ${about ?? ''}`.toLowerCase().includes(word)));
}
