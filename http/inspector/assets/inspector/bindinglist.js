// The list of bindings, each with the messages that it has brought.
import { make, setText } from '../shared/dom.js';
import { count } from '../shared/format.js';
import { nameParts } from '../shared/names.js';
import { brings, seriesOf } from './series.js';
import { caution } from './topic.js';

export class BindingList {
  #root;
  #remove;
  #rows = []; // {binding, element, number, brought}
  #refused = '';

  /** Shows bindings in a list element; remove(binding) is called for the cross. */
  constructor(root, remove) {
    this.#root = root;
    this.#remove = remove;
  }

  show(bindings) {
    const before = new Map(this.#rows.map((row) => [row.binding, row.brought]));
    this.#rows = bindings.map((binding) => this.#row(binding, before.get(binding) ?? 0));
    this.#root.replaceChildren(...this.#rows.map(({ element }) => element));
    this.draw();
  }

  #row(binding, brought) {
    const [prefix, name] = nameParts(binding.exchange);
    const doubt = caution(binding.routingKeyPattern);
    const number = make('span', { class: 'brought' });
    const element = make('li', {},
      make('span', { class: 'mark', 'data-mark': seriesOf(binding).mark, 'aria-hidden': 'true' }),
      make('div', { class: 'binding' },
        make('div', { class: 'binding-name' },
          make('span', { class: 'name', text: name, title: binding.exchange }),
          make('code', { class: 'tag binding-pattern', text: binding.routingKeyPattern || 'no key', title: `Routing key pattern ${binding.routingKeyPattern}` })),
        make('span', { class: 'prefix', text: prefix }),
        doubt ? make('span', { class: 'caution', text: doubt }) : null),
      number,
      make('button', { type: 'button', class: 'quiet small remove', text: '✕', title: 'Remove',
        'aria-label': `Remove the binding of ${binding.exchange} with ${binding.routingKeyPattern}`,
        click: () => this.#remove(binding) }));
    return { binding, element, number, brought };
  }

  /** Counts a message for each binding that brings it, by its key or a route. */
  count(message) {
    for (const row of this.#rows) if (brings(row.binding, message)) row.brought++;
  }

  /** Marks the binding of the exchange that a failure names, or none. */
  mark(exchange) {
    this.#refused = exchange;
    this.draw();
  }

  reset() {
    this.#rows.forEach((row) => (row.brought = 0));
    this.draw();
  }

  draw() {
    for (const { binding, element, number, brought } of this.#rows) {
      setText(number, count(brought));
      number.title = `${count(brought)} messages matched this binding`;
      element.classList.toggle('refused', binding.exchange === this.#refused);
    }
  }
}
