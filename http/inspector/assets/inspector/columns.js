// The values of payloads that the user has made columns of the table.
import { pick } from './jsontext.js';
import { labelsOf } from './path.js';

export const mostColumns = 8;
const longest = 120; // letters of a value in a cell
const tooLarge = 4 << 20; // letters of a payload that is not searched for a cell

export class Columns {
  #list = []; // {path, labels, title}
  #changed;

  /** Calls changed() after each change. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The columns, from left to right: {path, labels, title}. */
  get list() {
    return this.#list;
  }

  has(path) {
    return this.#list.some((column) => column.path === path);
  }

  /** Adds a column, or takes it away; returns as a sentence what has been done. */
  toggle(path) {
    if (this.has(path)) {
      this.#set(this.#list.filter((column) => column.path !== path));
      return `${path} is no column any more`;
    }
    if (this.#list.length >= mostColumns) return `The table takes ${mostColumns} columns at most`;
    this.add([path]);
    return `${path} is a column now`;
  }

  /** Adds columns; what is no path is left out, as is what is beyond the limit. */
  add(paths) {
    const added = [...new Set(paths)].filter((path) => !this.has(path)).map((path) => ({ path, labels: labelsOf(path) }));
    this.#set([...this.#list, ...added.filter(({ labels }) => labels)].slice(0, mostColumns));
  }

  #set(list) {
    this.#list = list.map((column) => ({ ...column, title: titleOf(column, list) }));
    this.#changed();
  }
}

// The last key with what follows it, or the whole path where another column ends alike.
function titleOf(column, all) {
  const ends = all.filter(({ labels }) => end(labels) === end(column.labels));
  return ends.length > 1 ? column.path : end(column.labels);
}

function end(labels) {
  const from = labels.findLastIndex((label) => typeof label === 'string');
  return labels.slice(Math.max(0, from)).map((label) => (typeof label === 'number' ? `[${label}]` : label)).join('');
}

/** The text of a message's cell in a column; '' where its payload has no such value. */
export function cellText(message, { path, labels }) {
  message.cells ??= new Map();
  let text = message.cells.get(path);
  if (text === undefined) {
    text = message.encoding !== 'json' ? '' : message.payload.length > tooLarge ? '…' : written(message.payload, labels);
    message.cells.set(path, text);
  }
  return text;
}

function written(payload, labels) {
  const found = pick(payload, labels);
  if (!found) return '';
  const text = payload.slice(found.start, found.end);
  return (text.startsWith('"') ? JSON.parse(text) : text).slice(0, longest);
}
