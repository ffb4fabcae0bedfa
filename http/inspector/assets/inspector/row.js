// One row of the message table. Rows are made once and filled again and
// again: at hundreds of messages a second, making elements would be the cost.
import { make, setText } from '../shared/dom.js';
import { bytes, clock } from '../shared/format.js';
import { cellText } from './columns.js';
import { excerpt } from './excerpt.js';

const longWord = 14; // letters of a key's word that may be cut where the whole key does not fit

export class Row {
  #cells;
  #fields = []; // elements of the columns' cells
  #ordinal = -1; // of the message that it shows
  #beside = 0; // letters' room that the marks beside the key take

  constructor(id) {
    const cell = (name, ...children) => make('div', { class: `cell ${name}`, role: 'gridcell' }, ...children);
    this.#cells = {
      time: make('time'),
      mark: make('span', { class: 'mark', 'aria-hidden': 'true' }),
      name: make('span', { class: 'name' }),
      key: make('span', { class: 'key-text' }),
      again: make('span', { class: 'tag warn', text: 'redelivered', hidden: true }),
      routes: make('span', { class: 'routes-more', hidden: true }),
      fields: make('div', { class: 'fields', role: 'none' }),
      excerpt: make('span', { class: 'excerpt-text' }),
      size: make('span'),
    };
    const c = this.#cells;
    this.element = make('div', { class: 'row', role: 'row', id },
      cell('time', c.time),
      cell('exchange', c.mark, c.name),
      cell('key', c.key, c.again, c.routes),
      c.fields,
      cell('excerpt', c.excerpt),
      cell('size', c.size));
  }

  /** Shows a message; ordinal tells messages apart. Returns what is new in it, or null. */
  show(message, ordinal, columns, nameOf) {
    if (ordinal === this.#ordinal) return null;
    this.#ordinal = ordinal;
    const c = this.#cells;
    const name = nameOf(message.exchange);
    this.element.dataset.mark = message.series.mark;
    setText(c.time, clock(message.at));
    c.mark.dataset.mark = message.series.mark;
    setText(c.name, name);
    c.name.title = message.exchange;
    this.#showKey(message);
    setText(c.excerpt, excerpt(message));
    setText(c.size, bytes(message.size));
    return { name, key: message.routingKey, fields: this.#showFields(message, columns) };
  }

  #showKey({ routingKey, redelivered, routes }) {
    const c = this.#cells;
    const beside = (redelivered ? 13 : 0) + (routes.length > 0 ? 4 : 0); // letters' room
    if (c.key.title !== routingKey || routingKey === '' || beside !== this.#beside) {
      this.#beside = beside;
      c.key.title = routingKey;
      c.key.replaceChildren(...keyWords(routingKey));
      for (const [name, value] of Object.entries(room(routingKey, beside))) c.key.style.setProperty(name, value);
    }
    c.again.hidden = !redelivered;
    c.routes.hidden = routes.length === 0;
    if (routes.length === 0) return;
    setText(c.routes, `+${routes.length}`);
    c.routes.title = `${routes.length === 1 ? '1 route' : `${routes.length} routes`}: ${routes.slice(0, 5).join(', ')}${routes.length > 5 ? ', …' : ''}`;
  }

  #showFields(message, columns) {
    if (this.#fields.length !== columns.length) {
      this.#fields = columns.map(() => make('div', { class: 'cell field', role: 'gridcell' }));
      this.#cells.fields.replaceChildren(...this.#fields);
    }
    return columns.map((column, i) => {
      const text = cellText(message, column);
      setText(this.#fields[i], text);
      this.#fields[i].title = text;
      this.#fields[i].dataset.title = column.title;
      return text;
    });
  }

  /** Places the row; index counts from the top, the head being row 1 for readers. */
  place(index, top, chosen) {
    this.element.hidden = false;
    this.element.style.transform = `translateY(${top}px)`;
    this.element.setAttribute('aria-rowindex', index + 2);
    this.element.setAttribute('aria-selected', chosen);
  }

  hide() {
    this.element.hidden = true;
  }

  /** Forgets what it shows: the list is another one, or it is to be written in another way. */
  forget() {
    this.#ordinal = -1;
  }
}

// The words of a key, dots between them. Those that stand for nothing are pale, and the first of
// them goes where the key is short of room; long words, which are ids, are shortened there. What
// does not fit all the same is cut at the end.
function keyWords(key) {
  const words = key.split('.');
  return words.flatMap((word, i) => {
    const first = i === 0 && isFiller(key);
    const kind = first ? ' filler first' : word === '_' ? ' filler' : word.length >= longWord ? ' long' : '';
    const made = make('span', { class: `word${kind}`, text: first ? filler : word });
    return i === words.length - 1 || first ? [made] : [made, '.'];
  });
}

const filler = 'primary.';
const isFiller = (key) => key.startsWith(filler);

// What the style sheet needs to know to share the room among the long words, in letters.
function room(key, beside) {
  const long = key.split('.').filter((word) => word.length >= longWord);
  const first = isFiller(key) ? filler.length : 0;
  const others = key.length - first - long.reduce((sum, word) => sum + word.length, 0);
  return { '--first': first, '--others': others + beside, '--long': Math.max(1, long.length) };
}
