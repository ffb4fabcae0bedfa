// The drawer that shows one message in full.
import { button, make } from '../shared/dom.js';
import { copy } from '../shared/clipboard.js';
import { dissect } from './exchanges.js';
import { bytes, clock, count } from '../shared/format.js';
import { payloadView } from './payload.js';

export class Detail {
  #root;
  #columns;
  #on;

  /**
   * Shows messages in an element; values may become columns. Calls on.close(), on.step(by) to go to the
   * next older (1) or newer (-1), on.bind(binding), on.filter(text).
   */
  constructor(root, columns, on) {
    this.#root = root;
    this.#columns = columns;
    this.#on = on;
    root.addEventListener('keydown', (event) => {
      if (event.key !== 'Escape') return;
      event.stopPropagation();
      on.close();
    });
  }

  get open() {
    return !this.#root.hidden;
  }

  show(message) {
    // Stepping through messages with the buttons here must not lose the focus.
    const focused = this.#root.contains(document.activeElement) ? document.activeElement.dataset?.act : undefined;
    this.#root.hidden = false;
    this.#root.replaceChildren(this.#head(message), make('div', { class: 'detail-body' }, facts(message), this.#actions(message), payloadView(message, this.#columns)));
    if (focused) this.#root.querySelector(`[data-act=${focused}]`)?.focus();
  }

  /** The columns have changed. */
  markColumns() {
    this.#root.querySelector('[role=tree]')?.markColumns();
  }

  hide() {
    this.#root.hidden = true;
    this.#root.replaceChildren();
  }

  focus() {
    this.#root.querySelector('[role=treeitem][tabindex="0"], [data-act=close]')?.focus();
  }

  #head(message) {
    return make('div', { class: 'detail-head' },
      make('h2', { id: 'detail-title', text: `Message ${count(message.number)}` }),
      button('↑', () => this.#on.step(-1), { class: 'quiet small', 'data-act': 'newer', 'aria-label': 'Newer message', title: 'Newer message' }),
      button('↓', () => this.#on.step(1), { class: 'quiet small', 'data-act': 'older', 'aria-label': 'Older message', title: 'Older message' }),
      button('✕', () => this.#on.close(), { class: 'quiet small', 'data-act': 'close', 'aria-label': 'Close', title: 'Close (Esc)' }));
  }

  #actions(message) {
    const { exchange, routingKey } = message;
    return make('div', { class: 'detail-actions' },
      button('Filter for this key', () => this.#on.filter(`key:"${routingKey}"`), { class: 'small' }),
      button('Bind to this key', () => this.#on.bind({ exchange, routingKeyPattern: routingKey }), { class: 'small' }),
      button('Copy message', () => copy(message.data, 'the message as it came'), { class: 'small' }));
  }
}

function facts(message) {
  const fact = (name, ...values) => [make('dt', { text: name }), make('dd', {}, ...values)];
  return make('dl', { class: 'facts' },
    ...fact('Exchange', make('span', { class: 'mark', 'data-mark': message.series.mark, 'aria-hidden': 'true' }), copyable(message.exchange, 'the exchange')),
    ...fact('Routing key', copyable(message.routingKey, 'the routing key'), anatomy(message)),
    ...fact('Received', make('time', { datetime: message.at.toISOString(), title: message.at.toISOString(), text: `${message.at.toLocaleDateString()} ${clock(message.at)}` })),
    ...fact('Size', `${bytes(message.size)}${message.size >= 1024 ? ` (${count(message.size)} bytes)` : ''}`),
    ...fact('Redelivered', message.redelivered ? 'Yes: the broker had tried to deliver it before' : 'No'),
    ...fact('Routes', routes(message)));
}

const copyable = (text, what) =>
  text === '' ? make('em', { text: 'empty' })
    : make('button', { type: 'button', class: 'copyable', title: 'Copy', click: () => copy(text, what) }, make('code', { text }));

// The words of a well-known key with their names; "_" stands for none.
function anatomy(message) {
  const parts = dissect(message.exchange, message.routingKey);
  if (!parts) return null;
  return make('dl', { class: 'anatomy', 'aria-label': 'The words of the routing key' },
    ...parts
      .filter((part, i) => i > 0 && part.words.some((word) => word !== '_' && word !== ''))
      .map((part) => make('div', {}, make('dt', { text: part.name }), make('dd', {}, copyable(part.words.join('.'), part.name)))));
}

function routes(message) {
  if (message.routes.length === 0) return make('span', { class: 'hint', text: 'none' });
  return make('ul', { class: 'routes' }, ...message.routes.map((route) => make('li', {}, copyable(`route.${route}`, 'the route'))));
}
