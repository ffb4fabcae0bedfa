// Bindings in the address bar. Three forms are read:
//
//   ?exchange=exchange/a&pattern=primary.%23&exchange=exchange/b    ours
//   ?bindings[0][exchange]=exchange/a&bindings[0][routingKeyPattern]=primary.%23
//                                     (or [pattern]) the older tools' links
//   ?bindings={"bindings":[…]}        the event stream's own parameter
//
// and the first is written, with `filter`, a `column` for the path of each value that the table shows,
// and, while a stream is open, `live`.
import { distance } from './exchanges.js';

const names = ['exchange', 'pattern', 'filter', 'column', 'live', 'bindings'];
const slips = 2; // letters that a mistyped name may be off

/**
 * What a query string says: {bindings, filter, columns, live}, with doubts, a sentence for each part
 * that is hardly meant as it is read.
 */
export function readLink(search) {
  const query = new URLSearchParams(search);
  const { bindings, wrong } = endpoint(query);
  return {
    bindings: [...ours(query), ...older(query), ...bindings],
    filter: query.get('filter') ?? '',
    columns: query.getAll('column'),
    live: query.has('live') && query.get('live') !== '0',
    doubts: [...mistyped(query), ...wrong],
  };
}

// Other names, such as those that trackers add to links, are none of ours and are let be.
function mistyped(query) {
  return [...new Set(query.keys())].filter((name) => !names.includes(name) && !olderName.test(name)).flatMap((name) => {
    const meant = names.find((known) => distance(name.toLowerCase(), known) <= slips);
    return meant ? [`The link says “${name}”, which means nothing here: “${meant}” was probably meant.`] : [];
  });
}

/** The query string, with its question mark, or '' where there is nothing to say. */
export function writeLink({ bindings, filter = '', columns = [], live = false }) {
  const parts = bindings.flatMap((b) => [`exchange=${readable(b.exchange)}`, `pattern=${readable(b.routingKeyPattern)}`]);
  if (filter) parts.push(`filter=${readable(filter)}`);
  parts.push(...columns.map((path) => `column=${readable(path)}`));
  if (live) parts.push('live=1');
  return parts.length ? `?${parts.join('&')}` : '';
}

// Exchanges are full of slashes, which a query may hold as they are.
const readable = (text) => encodeURIComponent(text.toWellFormed?.() ?? text).replaceAll('%2F', '/').replaceAll('%3A', ':');

// Each `exchange` opens a binding; a `pattern` belongs to the one before it.
function ours(query) {
  const bindings = [];
  for (const [name, value] of query) {
    if (name === 'exchange') bindings.push({ exchange: value, routingKeyPattern: '#' });
    else if (name === 'pattern' && bindings.length) bindings.at(-1).routingKeyPattern = value;
  }
  return bindings;
}

const olderName = /^bindings\[(\d*)\]\[(exchange|routingKeyPattern|pattern)\]$/;

function older(query) {
  const byIndex = new Map();
  for (const [name, value] of query) {
    const [, index, field] = olderName.exec(name) ?? [];
    if (!field) continue;
    const binding = byIndex.get(index) ?? { exchange: '', routingKeyPattern: '#' };
    binding[field === 'exchange' ? 'exchange' : 'routingKeyPattern'] = value;
    byIndex.set(index, binding);
  }
  return [...byIndex].sort(([a], [b]) => a - b).map(([, binding]) => binding);
}

function endpoint(query) {
  let asked;
  try {
    asked = JSON.parse(query.get('bindings') ?? '[]');
  } catch ({ message }) {
    return { bindings: [], wrong: [`The bindings of the link can’t be read: they are no JSON (${message}).`] };
  }
  const list = Array.isArray(asked) ? asked : asked?.bindings;
  const all = Array.isArray(list) ? list : [];
  const named = all.filter((b) => typeof b?.exchange === 'string');
  return {
    bindings: named.map((b) => ({ exchange: b.exchange, routingKeyPattern: typeof b.routingKeyPattern === 'string' ? b.routingKeyPattern : '#' })),
    wrong: list === all && named.length === all.length ? [] : ['The bindings of the link can’t be read as a whole: they are a list of {"exchange", "routingKeyPattern"}.'],
  };
}
