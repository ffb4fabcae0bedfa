// Search in a payload: every key and every value, folded away or not.
import { written } from './tree.js';

const most = 1000; // hits; more are not stepped through

/**
 * The places where a text occurs: ways as Tree.reveal takes them, in the order
 * of the document.
 */
export function find(root, sought) {
  const wanted = sought.toLowerCase();
  const hits = [];
  if (wanted === '') return hits;
  const stack = [{ label: null, node: root, way: [] }];
  while (stack.length && hits.length < most) {
    const { label, node, way } = stack.pop();
    if (hit(label, node, wanted)) hits.push(way);
    for (let i = (node.children?.length ?? 0) - 1; i >= 0; i--) {
      const child = node.children[i];
      stack.push({ label: child.label, node: child.node, way: [...way, i] });
    }
  }
  return hits;
}

const hit = (label, node, wanted) =>
  (typeof label === 'string' && label.toLowerCase().includes(wanted)) ||
  (!node.children && (node.value ?? written(node)).toLowerCase().includes(wanted));

/** Wires a search field to a tree: typing finds, Enter goes on, Shift+Enter back. */
export function searchField(input, counter, tree, root) {
  let hits = [];
  let at = 0;
  let marked = null;

  const show = () => {
    marked?.line.classList.remove('hit');
    marked = hits.length ? tree.reveal(hits[at]) : null;
    marked?.line.classList.add('hit');
    counter.textContent = input.value === '' ? '' : hits.length === 0 ? 'nothing' : `${at + 1} of ${hits.length}`;
  };
  input.addEventListener('input', () => {
    hits = find(root, input.value);
    at = 0;
    show();
  });
  input.addEventListener('keydown', (event) => {
    if (event.key !== 'Enter' || hits.length === 0) return;
    event.preventDefault();
    at = (at + (event.shiftKey ? hits.length - 1 : 1)) % hits.length;
    show();
  });
}
