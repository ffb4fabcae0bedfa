// Bindings in the address bar. Three forms are read:
//
//   ?exchange=exchange/a&pattern=primary.%23&exchange=exchange/b    ours
//   ?bindings[0][exchange]=exchange/a&bindings[0][routingKeyPattern]=primary.%23
//                                     (or [pattern]) the older tools' links
//   ?bindings={"bindings":[…]}        the event stream's own parameter
//
// and the first is written, with `filter`, a `column` for the path of each value that the table shows,
// and, while a stream is open, `live`.

/** What a query string says: {bindings, filter, columns, live}. */
export function readLink(search) {
  const query = new URLSearchParams(search);
  const bindings = [...ours(query), ...older(query), ...endpoint(query)];
  return { bindings, filter: query.get('filter') ?? '', columns: query.getAll('column'), live: query.has('live') && query.get('live') !== '0' };
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
  } catch {
    return [];
  }
  const list = Array.isArray(asked) ? asked : asked?.bindings;
  return (Array.isArray(list) ? list : [])
    .filter((b) => typeof b?.exchange === 'string')
    .map((b) => ({ exchange: b.exchange, routingKeyPattern: typeof b.routingKeyPattern === 'string' ? b.routingKeyPattern : '#' }));
}
