// The messages panel: what has come, the filter, pause, clear, download, the
// table and the drawer.
import { say } from '../shared/clipboard.js';
import { byId, setText } from '../shared/dom.js';
import { Columns } from './columns.js';
import { Detail } from './detail.js';
import { download } from './download.js';
import { readFilter } from './filter.js';
import { count, counted } from '../shared/format.js';
import { menu } from './menu.js';
import { Table } from './table.js';
import { View } from './view.js';

const drawPeriod = 100; // ms between two drawings: faster ones could not be read

export class Inbox {
  #view = new View(() => this.#soon());
  #columns = new Columns(() => this.#recolumn());
  #detail = new Detail(byId('detail'), this.#columns, {
    close: () => this.closeDetail(),
    step: (by) => this.#table.step(by),
    bind: (binding) => this.#on.bind(binding),
    filter: (text) => this.filterBy(text),
  });
  #table = new Table(byId('table'), {
    choose: (message) => this.#open(message),
    enter: () => this.#detail.focus(),
    scrolled: () => this.#drawNewer(),
    without: (path) => this.#columns.toggle(path),
  });
  #on;
  #drawn = 0;
  #planned = false;
  #seenAtTop = 0; // messages when the table's top was last in sight

  /** Calls on.bind(binding), on.looked() where filter or columns have changed, on.cleared(). */
  constructor(on) {
    this.#on = on;
    byId('filter').addEventListener('input', () => this.#filter());
    byId('filter').addEventListener('keydown', (event) => this.#filterKey(event));
    byId('clear-filter').addEventListener('click', () => {
      this.filterBy('');
      byId('filter').focus();
    });
    byId('pause').addEventListener('click', () => this.togglePause());
    byId('clear').addEventListener('click', () => this.clear());
    byId('newer').addEventListener('click', () => this.#toNewest());
    menu(byId('download'), byId('download-menu'), (item) => this.#download(item.dataset.form));
  }

  get arrived() {
    return this.#view.arrived;
  }

  get paused() {
    return this.#view.paused;
  }

  add(message) {
    this.#view.add(message);
  }

  filterBy(text) {
    byId('filter').value = text;
    this.#filter();
  }

  #filter() {
    const text = byId('filter').value;
    this.#view.filter(readFilter(text));
    this.#on.looked();
  }

  /** The paths of the columns, from left to right. */
  get columns() {
    return this.#columns.list.map(({ path }) => path);
  }

  /** Adds columns for values of payloads, by their paths. */
  addColumns(paths) {
    this.#columns.add(paths);
  }

  #recolumn() {
    this.#table.columns(this.#columns.list);
    this.#detail.markColumns();
    this.#on.looked();
  }

  #filterKey(event) {
    if (event.key === 'ArrowDown' || event.key === 'Enter') this.focus();
    else if (event.key === 'Escape' && event.target.value === '') event.target.blur();
    else return;
    event.preventDefault();
  }

  togglePause() {
    if (this.#view.paused) this.#view.resume();
    else this.#view.pause();
    byId('pause').setAttribute('aria-pressed', this.#view.paused);
  }

  clear() {
    this.closeDetail(false);
    this.#view.clear();
    this.#seenAtTop = 0;
    this.#on.cleared();
    this.draw();
  }

  #download(form) {
    const messages = this.#view.list();
    download(messages, form);
    say(`${counted(messages.length, 'message')} saved`);
  }

  #open(message) {
    const opening = !this.#detail.open;
    this.#detail.show(message);
    byId('layout').classList.add('with-detail');
    // On a phone the drawer covers the table, so the focus goes along.
    if (opening && matchMedia('(max-width: 560px)').matches) this.#detail.focus();
  }

  closeDetail(focus = true) {
    if (!this.#detail.open) return;
    this.#detail.hide();
    byId('layout').classList.remove('with-detail');
    this.#table.release();
    if (focus) this.#table.focus();
  }

  focus() {
    this.#table.focus();
    if (!this.#detail.open && this.#view.shown.length) this.#table.step(0);
  }

  #toNewest() {
    this.#table.toTop();
    if (this.#view.paused) this.togglePause();
    this.#table.focus();
  }

  // Draws at the next frame, but not at every one.
  #soon() {
    if (this.#planned) return;
    this.#planned = true;
    const wait = Math.max(0, this.#drawn + drawPeriod - performance.now());
    setTimeout(() => requestAnimationFrame(() => {
      this.#planned = false;
      this.#drawn = performance.now();
      this.draw();
    }), wait);
  }

  draw() {
    const view = this.#view;
    const nonePasses = view.filtered && view.kept > 0 && view.shown.length === 0;
    byId('none-pass').hidden = !nonePasses;
    if (nonePasses) setText(byId('none-pass-hint'), `${counted(view.kept, 'message')} ${view.kept === 1 ? 'is' : 'are'} hidden. New ones that pass appear here.`);
    byId('table').hidden = view.arrived === 0 || nonePasses;
    byId('clear').disabled = view.arrived === 0;
    byId('download').disabled = view.shown.length === 0;
    setText(byId('pause-text'), !view.paused ? 'Pause' : view.waiting ? `Go on (${count(view.waiting)})` : 'Go on');
    setText(byId('filter-count'), this.#counts());
    this.#table.show(view.shown);
    this.#on.drawn();
  }

  #counts() {
    const view = this.#view;
    const parts = [];
    if (view.filtered) parts.push(`${count(view.shown.length)} of ${count(view.kept)} shown`);
    if (view.paused) parts.push(`paused, ${count(view.waiting)} new`);
    if (view.dropped) parts.push(`newest ${count(view.kept)} kept, ${count(view.dropped)} older let go`);
    return parts.join(' · ');
  }

  #drawNewer() {
    const newest = this.#view.shown.dropped + this.#view.shown.length;
    if (this.#table.atTop) this.#seenAtTop = newest;
    const newer = newest - this.#seenAtTop;
    byId('newer').hidden = newer <= 0;
    if (newer > 0) setText(byId('newer'), `↑ ${counted(newer, 'newer message')}`);
  }
}
