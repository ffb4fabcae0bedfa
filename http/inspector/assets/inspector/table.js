// The message table: newest on top, only the rows in sight as elements.
import { button, make } from '../shared/dom.js';
import { ShortNames } from '../shared/names.js';
import { Row } from './row.js';
import { Widths } from './widths.js';

const spare = 4; // rows beyond each edge, for a scroll's first frame

const roomForCells = 672; // px of a table's width from which on a row's cells stand beside each other
const roomForColumns = 892; // the same where payloads' values have columns

export class Table {
  #root;
  #body;
  #rows = [];
  #list = null; // Recent
  #height = 0; // of a row, px
  #top = 0; // how far it was scrolled when last in sight, in rows
  #chosenInSight = false;
  #away = true; // out of sight at the last measuring
  #head; // the head row
  #seen = 0; // ordinal behind the newest at the last drawing
  #chosen = null; // number of the chosen message
  #columns = []; // of payloads' values, as Columns.list has them
  #titles; // the head's part for them
  #names = new ShortNames();
  #widths = new Widths();
  #on;

  /**
   * Builds the table into an element. Calls on.choose(message) when a message
   * is chosen, on.enter() when the user goes into it, on.scrolled(atTop),
   * on.without(path) when a column is to go.
   */
  constructor(root, on) {
    this.#on = on;
    this.#root = root;
    const title = (name, text) => make('div', { class: `cell ${name}`, role: 'columnheader', text });
    this.#titles = make('div', { class: 'fields', role: 'none' });
    this.#head = make('div', { class: 'row head', role: 'row', 'aria-rowindex': '1' },
      title('time', 'Received'), title('exchange', 'Exchange'), title('key', 'Routing key'),
      this.#titles, make('div', { class: 'cell excerpt', role: 'columnheader' }, make('span', { class: 'excerpt-text', text: 'Payload' })), title('size', 'Size'));
    this.#body = make('div', { class: 'body', role: 'rowgroup' });
    root.setAttribute('role', 'grid');
    root.setAttribute('aria-label', 'Messages, newest first');
    root.setAttribute('tabindex', '0');
    root.append(make('div', { role: 'rowgroup', class: 'head-group' }, this.#head), this.#body);
    root.addEventListener('scroll', () => this.#scrolled(), { passive: true });
    root.addEventListener('keydown', (event) => this.#key(event));
    this.#body.addEventListener('click', (event) => this.#click(event));
    new ResizeObserver(() => this.#measure()).observe(root);
    this.columns([]);
  }

  /** Shows columns of payloads' values. */
  columns(list) {
    this.#columns = list;
    this.#widths.reset(list);
    this.#titles.replaceChildren(...list.map(({ path, title }) =>
      make('div', { class: 'cell field', role: 'columnheader' }, make('span', { class: 'field-title', text: title, title: path }),
        button('✕', () => this.#on.without(path), { class: 'quiet small without', 'aria-label': `Remove the column ${path}`, title: 'Remove the column' }))));
    this.#root.classList.toggle('with-fields', list.length > 0);
    this.#layOut();
    this.#rewrite();
    this.#measure();
  }

  // Returns whether the rows have another height now.
  #layOut() {
    const { tracks, shortTracks, longKeys } = this.#widths;
    this.#root.style.setProperty('--tracks', tracks);
    this.#root.style.setProperty('--short-tracks', shortTracks);
    if (this.#root.classList.contains('long-keys') === longKeys) return false;
    this.#root.classList.toggle('long-keys', longKeys);
    return this.#rowHeight() !== this.#height;
  }

  // The height of a row, px.
  #rowHeight() {
    const style = getComputedStyle(this.#root);
    const [row, line, abreast] = ['--row', '--field-line', '--abreast'].map((name) => parseFloat(style.getPropertyValue(name)));
    return row + line * Math.ceil(this.#columns.length / abreast);
  }

  // What the rows show is to be written anew.
  #rewrite() {
    this.#rows.forEach((row) => row.forget());
  }

  get atTop() {
    return this.#root.scrollTop < this.#height;
  }

  #scrolled() {
    if (!this.#inSight) return;
    this.#top = this.#root.scrollTop / this.#height;
    this.#chosenInSight = this.#isInSight(this.#indexOf(this.#chosen));
    this.draw();
  }

  /** Shows a list (oldest first, as it is kept). */
  show(list) {
    if (list !== this.#list) {
      this.#list = list;
      this.#seen = list.dropped + list.length;
      this.#rewrite();
    }
    this.#hold();
    this.draw();
  }

  // A user who has scrolled down is reading: new rows above must not move the text.
  #hold() {
    const newest = this.#list.dropped + this.#list.length;
    const added = newest - this.#seen;
    this.#seen = newest;
    if (added <= 0) return;
    if (!this.#inSight) {
      if (this.#top >= 1) this.#top += added;
      return;
    }
    if (this.atTop) return;
    this.#resize();
    this.#root.scrollTop += added * this.#height;
  }

  #resize() {
    const height = `${this.#list.length * this.#height}px`;
    if (this.#body.style.height !== height) this.#body.style.height = height;
    this.#root.setAttribute('aria-rowcount', this.#list.length + 1);
  }

  /** Puts the rows in sight where they belong. */
  draw() {
    if (!this.#list || !this.#inSight) return;
    if (!this.#height || this.#away) return this.#measure(); // which draws
    this.#resize();
    const length = this.#list.length;
    const first = Math.max(0, Math.floor(this.#root.scrollTop / this.#height) - spare);
    const inSight = Math.ceil(this.#root.clientHeight / this.#height) + 2 * spare;
    const last = Math.min(length, first + inSight);
    this.#grow(inSight);
    const used = new Set();
    let grown = false;
    let renamed = false;
    const nameOf = (exchange) => this.#names.of(exchange, () => (renamed = true));
    for (let index = first; index < last; index++) {
      const position = length - 1 - index;
      const ordinal = this.#list.dropped + position; // a row keeps its element while it moves
      const row = this.#rows[ordinal % this.#rows.length];
      const message = this.#list.at(position);
      const news = row.show(message, ordinal, this.#columns, nameOf);
      if (news && this.#widths.add(news)) grown = true;
      row.place(index, index * this.#height, message.number === this.#chosen);
      used.add(row);
    }
    for (const row of this.#rows) if (!used.has(row)) row.hide();
    const resized = grown && this.#layOut();
    this.#point();
    this.#on.scrolled(this.atTop);
    if (renamed) this.#rewrite();
    if (resized) this.#measure(); // which draws
    else if (renamed) this.draw();
  }

  #grow(wanted) {
    if (this.#rows.length >= wanted) return;
    while (this.#rows.length < wanted) {
      const row = new Row(`row-${this.#rows.length}`);
      this.#rows.push(row);
      this.#body.append(row.element);
    }
    this.#rewrite(); // another modulus, other places
  }

  // Behind another tab the table has no size, and a browser may forget how far it was scrolled.
  get #inSight() {
    return this.#root.clientHeight > 0;
  }

  // The table comes into sight, or its size or its rows' height has changed: the same rows stay, and
  // the chosen one, if it was among them.
  #measure() {
    this.#root.classList.toggle('stacked', this.#inSight && this.#root.offsetWidth < (this.#columns.length > 0 ? roomForColumns : roomForCells));
    const height = this.#rowHeight();
    this.#root.style.setProperty('--height', `${height}px`);
    const moved = this.#inSight && (this.#away || height !== this.#height);
    this.#away = !this.#inSight;
    this.#height = height;
    if (!this.#list || this.#away) return;
    if (moved) {
      this.#resize();
      this.#root.scrollTop = this.#top * height;
    }
    if (this.#chosenInSight) this.#reveal(this.#indexOf(this.#chosen));
    this.draw();
  }

  // Tells a screen reader which row the grid's focus stands on.
  #point() {
    const chosen = this.#rows.find(({ element }) => !element.hidden && element.getAttribute('aria-selected') === 'true');
    if (chosen) this.#root.setAttribute('aria-activedescendant', chosen.element.id);
    else this.#root.removeAttribute('aria-activedescendant');
  }

  #click(event) {
    const row = event.target.closest('.row');
    if (row) this.choose(Number(row.getAttribute('aria-rowindex')) - 2);
  }

  #key(event) {
    const page = Math.max(1, Math.floor(this.#root.clientHeight / this.#height) - 2);
    const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
    if (event.key === 'Enter' && this.#chosen !== null) this.#on.enter();
    else if (event.key in steps && !event.ctrlKey && !event.metaKey && !event.altKey) this.step(steps[event.key]);
    else return;
    event.preventDefault();
  }

  /** Chooses the message some rows further down; none chosen: the first. */
  step(by) {
    const at = this.#indexOf(this.#chosen);
    this.choose(at < 0 ? 0 : Math.min(Math.max(at + by, 0), this.#list.length - 1));
  }

  /** Chooses the message at an index from the top. */
  choose(index) {
    const message = this.#list?.at(this.#list.length - 1 - index);
    if (!message) return;
    this.#chosen = message.number;
    this.#chosenInSight = true;
    this.#reveal(index);
    this.draw();
    this.#on.choose(message);
  }

  /** Chooses none. */
  release() {
    this.#chosen = null;
    this.#chosenInSight = false;
    this.draw();
  }

  focus() {
    this.#root.focus();
  }

  toTop() {
    this.#root.scrollTop = 0;
    this.draw();
  }

  #reveal(index) {
    const top = index * this.#height;
    const space = this.#space;
    if (top < this.#root.scrollTop) this.#root.scrollTop = top;
    else if (top + this.#height > this.#root.scrollTop + space) this.#root.scrollTop = top + this.#height - space;
  }

  // The room for rows, px.
  get #space() {
    return this.#root.clientHeight - this.#head.offsetHeight;
  }

  #isInSight(index) {
    const top = index * this.#height - this.#root.scrollTop;
    return index >= 0 && top > -this.#height && top < this.#space;
  }

  // Numbers ascend, so the chosen message is found by halving.
  #indexOf(number) {
    if (number === null || !this.#list) return -1;
    let low = 0;
    let high = this.#list.length - 1;
    while (low <= high) {
      const middle = (low + high) >> 1;
      const there = this.#list.at(middle).number;
      if (there === number) return this.#list.length - 1 - middle;
      if (there < number) low = middle + 1;
      else high = middle - 1;
    }
    return -1;
  }
}
