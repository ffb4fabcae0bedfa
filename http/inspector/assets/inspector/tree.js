// A payload as a tree that folds. Branches are built when they are opened,
// and long ones a hundred at a time, so that size and depth cost nothing
// until they are looked at.
import { button, make } from '../shared/dom.js';
import { counted } from '../shared/format.js';
import { pathOf } from './path.js';

const atOnce = 100; // children built before a button asks for more
const openAtFirst = 150; // values up to which everything is unfolded
const longest = 600; // letters of a string shown at first

export class Tree {
  #root;
  #text;
  #items = new Map(); // node → its item, where built
  #current = null;
  #on;

  /**
   * Builds the tree of a node of a JSON text. on.copy(text, what) copies, on.toggle(path) makes a
   * value a column of the table, or takes the column away; on.columns.has(path) reports which are.
   */
  constructor(node, text, on) {
    this.#text = text;
    this.#on = on;
    this.element = make('ul', { class: 'tree', role: 'tree', 'aria-label': 'Payload', 'aria-multiselectable': 'true' });
    this.element.markColumns = () => this.#items.forEach((item) => this.#mark(item));
    this.element.addEventListener('keydown', (event) => this.#key(event));
    this.element.addEventListener('click', (event) => this.#click(event));
    this.#root = this.#build(null, node, []);
    this.element.append(this.#root.element);
    this.#unfoldFirst(node);
    this.#stand(this.#root);
  }

  #unfoldFirst(node) {
    const small = size(node, openAtFirst) < openAtFirst;
    this.#toggle(this.#root, true);
    if (small) this.unfoldAll();
  }

  // An item is {node, labels, element, line, group, built}.
  #build(label, node, labels) {
    const branch = node.children?.length > 0;
    const line = make('div', { class: 'line' },
      make('span', { class: 'caret', 'aria-hidden': 'true' }),
      label === null ? null : make('span', { class: typeof label === 'number' ? 'index' : 'label', text: String(label) }),
      this.#value(node),
      make('span', { class: 'acts', 'aria-hidden': 'true' },
        branch || label === null ? null : make('span', { title: 'Show this value as a column of the table (t)', text: 'column' }),
        make('span', { class: 'copy', title: 'Copy this value (c)', text: 'copy' })));
    const element = make('li', { role: 'treeitem', tabindex: '-1', 'aria-expanded': branch ? 'false' : null,
      'aria-label': `${label ?? 'payload'}: ${spoken(node)}` }, line);
    const item = { node, labels, element, line, group: null, built: 0 };
    element.item = item;
    this.#items.set(node, item);
    this.#mark(item);
    return item;
  }

  // A value in the payload itself can be a column; which are is seen and heard.
  #mark({ node, labels, element }) {
    if (node.children?.length > 0 || labels.length === 0) return;
    element.setAttribute('aria-selected', this.#on.columns.has(pathOf(labels)));
  }

  #column({ node, labels }) {
    if (node.children?.length > 0 || labels.length === 0) return;
    this.#on.toggle(pathOf(labels));
  }

  #value(node) {
    if (node.children) return make('span', { class: 'sum', text: summary(node) });
    const shown = make('span', { class: `value ${node.kind}`, text: written(node).slice(0, longest) });
    const rest = written(node).length - longest;
    if (rest <= 0) return shown;
    shown.append('… ', button(`${counted(rest, 'more letter')}`, (event) => {
      event.stopPropagation();
      shown.textContent = written(node);
    }, { class: 'more', tabindex: '-1' }));
    return shown;
  }

  #toggle(item, open) {
    const { node, element } = item;
    if (!node.children?.length) return;
    element.setAttribute('aria-expanded', open);
    if (open && !item.group) {
      item.group = make('ul', { role: 'group' });
      element.append(item.group);
      this.#more(item);
    }
    if (item.group) item.group.hidden = !open;
  }

  // Builds the next children of an open item, up to at least `until`.
  #more(item, until = item.built + atOnce) {
    item.group.querySelector(':scope > .rest')?.remove();
    const to = Math.min(until, item.node.children.length);
    for (const { label, node } of item.node.children.slice(item.built, to)) {
      item.group.append(this.#build(label, node, [...item.labels, label]).element);
    }
    item.built = to;
    const rest = item.node.children.length - to;
    if (rest > 0) {
      item.group.append(make('li', { class: 'rest', role: 'none' },
        button(`${counted(rest, 'more entry').replace('entrys', 'entries')}…`, () => this.#more(item), { class: 'more' })));
    }
  }

  /** Opens every branch, as far as `openAtFirst` times ten values go. */
  unfoldAll() {
    let left = openAtFirst * 10;
    const queue = [this.#root];
    while (queue.length && left > 0) {
      const item = queue.shift();
      this.#toggle(item, true);
      for (const { node } of item.node.children?.slice(0, item.built) ?? []) {
        left--;
        if (node.children?.length) queue.push(this.#items.get(node));
      }
    }
  }

  foldAll() {
    for (const item of this.#items.values()) if (item !== this.#root) this.#toggle(item, false);
    this.#stand(this.#root);
  }

  /** Opens the way to a node, given as [node, child's place] from the root, and shows it. */
  reveal(way) {
    let item = this.#root;
    for (const place of way) {
      this.#toggle(item, true);
      if (item.built <= place) this.#more(item, place + 1);
      item = this.#items.get(item.node.children[place].node);
    }
    this.#stand(item);
    item.line.scrollIntoView({ block: 'nearest' });
    return item;
  }

  // One item is the Tab key's stop.
  #stand(item, focus = false) {
    if (this.#current) this.#current.element.tabIndex = -1;
    this.#current = item;
    item.element.tabIndex = 0;
    if (focus) item.element.focus();
  }

  #click(event) {
    const item = event.target.closest('[role=treeitem]')?.item;
    if (!item || event.target.closest('.more')) return;
    this.#stand(item, true);
    if (event.target.closest('.copy')) return this.#copy(item);
    if (!getSelection().isCollapsed) return;
    this.#toggle(item, item.element.getAttribute('aria-expanded') !== 'true');
    this.#column(item);
  }

  #copy(item) {
    const { node } = item;
    const text = node.kind === 'string' ? node.value : this.#text.slice(node.start, node.end);
    this.#on.copy(text, pathOf(item.labels));
  }

  #key(event) {
    if (event.ctrlKey || event.metaKey || event.altKey || event.target.tagName === 'BUTTON') return;
    const item = this.#current;
    const open = item.element.getAttribute('aria-expanded') === 'true';
    const acts = {
      ArrowDown: () => this.#walk(1),
      ArrowUp: () => this.#walk(-1),
      ArrowRight: () => (open ? this.#walk(1) : this.#toggle(item, true)),
      ArrowLeft: () => (open ? this.#toggle(item, false) : this.#parent(item)),
      Home: () => this.#stand(this.#root, true),
      End: () => this.#stand(this.#visible().at(-1), true),
      Enter: () => this.#toggle(item, !open),
      ' ': () => this.#toggle(item, !open),
      c: () => this.#copy(item),
      t: () => this.#column(item),
      y: () => this.#on.copy(pathOf(item.labels), 'the path'),
    };
    if (!acts[event.key]) return;
    acts[event.key]();
    event.preventDefault();
    event.stopPropagation();
  }

  #visible() {
    return [...this.element.querySelectorAll('[role=treeitem]')].filter((e) => !e.closest('[role=group][hidden]')).map((e) => e.item);
  }

  #walk(by) {
    const visible = this.#visible();
    const next = visible[visible.indexOf(this.#current) + by];
    if (next) this.#stand(next, true);
  }

  #parent(item) {
    const parent = item.element.parentElement.closest('[role=treeitem]')?.item;
    if (parent) this.#stand(parent, true);
  }
}

// How many values a node holds, counted no further than a limit.
function size(node, limit) {
  let n = 0;
  const stack = [node];
  while (stack.length && n < limit) {
    n++;
    stack.push(...(stack.pop().children ?? []).slice(0, limit).map((child) => child.node));
  }
  return n;
}

/** A scalar as it is written in JSON, strings with plain letters. */
export const written = (node) => (node.kind === 'string' ? JSON.stringify(node.value) : node.text);

const summary = ({ kind, children: { length } }) =>
  kind === 'array' ? (length ? `[ ${length} ]` : '[ ]') : length ? `{ ${length} }` : '{ }';

const spoken = (node) =>
  node.children
    ? node.kind === 'array' ? counted(node.children.length, 'element') : counted(node.children.length, 'member')
    : written(node).slice(0, 200);
