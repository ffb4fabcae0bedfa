// One row of the message table. Rows are made once and filled again and
// again: at hundreds of messages a second, making elements would be the cost.
import { make, setText } from '../shared/dom.js';
import { bytes, clock } from '../shared/format.js';
import { colourOf, nameParts } from '../shared/palette.js';

export class Row {
  #cells;
  #ordinal = -1; // of the message that it shows

  constructor(id) {
    const cell = (name, ...children) => make('div', { class: `cell ${name}`, role: 'gridcell' }, ...children);
    this.#cells = {
      time: make('time'),
      dot: make('span', { class: 'dot', 'aria-hidden': 'true' }),
      prefix: make('span', { class: 'prefix' }),
      name: make('span', { class: 'name' }),
      key: make('span', { class: 'key-text' }),
      again: make('span', { class: 'tag warn', text: 'redelivered', hidden: true }),
      routes: make('span', { class: 'tag', hidden: true }),
      size: make('span'),
    };
    const c = this.#cells;
    this.element = make('div', { class: 'row', role: 'row', id },
      cell('time', c.time),
      cell('exchange', c.dot, c.prefix, c.name),
      cell('key', c.key, c.again, c.routes),
      cell('size', c.size));
  }

  /** Shows a message; ordinal tells messages apart. */
  show(message, ordinal) {
    if (ordinal === this.#ordinal) return;
    this.#ordinal = ordinal;
    const c = this.#cells;
    const [prefix, name] = nameParts(message.exchange);
    setText(c.time, clock(message.at));
    c.dot.dataset.colour = colourOf(message.exchange);
    setText(c.prefix, prefix);
    setText(c.name, name);
    setText(c.key, message.routingKey);
    c.again.hidden = !message.redelivered;
    c.routes.hidden = message.routes.length === 0;
    setText(c.routes, message.routes.length === 1 ? '1 route' : `${message.routes.length} routes`);
    setText(c.size, bytes(message.size));
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

  /** Forgets what it shows: the list is another one. */
  forget() {
    this.#ordinal = -1;
  }
}
