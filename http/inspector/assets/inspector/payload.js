// The payload's part of the detail: a tree or the text for JSON, the text
// for plain text, a hex dump for bytes.
import { button, make } from '../shared/dom.js';
import { copy, say } from '../shared/clipboard.js';
import { dump } from './hex.js';
import { bytes } from '../shared/format.js';
import { pretty, read } from './jsontext.js';
import { payloadBytes } from './message.js';
import { recall, remember } from '../shared/memory.js';
import { searchField } from './treesearch.js';
import { Tree } from './tree.js';

/** Builds the view of a message's payload; its values may become columns. */
export function payloadView(message, columns) {
  if (message.encoding === 'base64') return binaryView(message);
  if (message.encoding === 'omitted') return omittedView(message);
  if (message.encoding !== 'json') return textView(message);
  return jsonView(message, columns);
}

function omittedView(message) {
  return make('div', { class: 'payload' },
    make('div', { class: 'payload-head' }, make('h3', { text: 'Payload' })),
    make('p', { class: 'hint', text: `Left out: its ${bytes(message.size)} are more than the operator lets through.` }));
}

function binaryView(message) {
  return section('The body is not text; it came as base64.',
    button('Copy base64', () => copy(JSON.parse(message.payload), 'the payload as base64'), { class: 'small' }),
    dump(payloadBytes(message)));
}

function textView(message) {
  const text = JSON.parse(message.payload);
  return section(text === '' ? 'The body is empty.' : 'The body is text, but not JSON.',
    button('Copy', () => copy(text, 'the payload'), { class: 'small' }), text);
}

function section(note, copying, text) {
  return make('div', { class: 'payload' },
    make('div', { class: 'payload-head' }, make('h3', { text: 'Payload' }), copying),
    make('p', { class: 'hint', text: note }),
    make('pre', { class: 'raw', tabindex: '0', 'aria-label': 'Payload', text, hidden: text === '' }));
}

function jsonView(message, columns) {
  const node = read(message.payload);
  const tree = new Tree(node, message.payload, { copy, columns, toggle: (path) => say(columns.toggle(path)) });
  const raw = make('pre', { class: 'raw', tabindex: '0', 'aria-label': 'Payload as text', hidden: true });
  const input = make('input', { type: 'search', placeholder: 'Search keys and values', 'aria-label': 'Search the payload', spellcheck: 'false' });
  const counter = make('span', { class: 'hits', role: 'status' });
  searchField(input, counter, tree, node);

  const forTree = make('div', { class: 'payload-search' }, input, counter,
    button('Unfold', () => tree.unfoldAll(), { class: 'small quiet', title: 'Unfold all' }),
    button('Fold', () => tree.foldAll(), { class: 'small quiet', title: 'Fold all' }));
  const asText = button('Text', () => switchTo(raw.hidden), { class: 'small', 'aria-pressed': 'false' });

  function switchTo(text) {
    if (text && raw.textContent === '') raw.textContent = pretty(message.payload);
    raw.hidden = !text;
    tree.element.hidden = text;
    forTree.hidden = text;
    asText.setAttribute('aria-pressed', text);
    remember('payload', text ? 'text' : 'tree');
  }
  if (recall('payload') === 'text') switchTo(true);

  return make('div', { class: 'payload' },
    make('div', { class: 'payload-head' }, make('h3', { text: 'Payload' }), asText,
      button('Copy JSON', () => copy(pretty(message.payload), 'the payload'), { class: 'small' })),
    forTree, tree.element, raw);
}
