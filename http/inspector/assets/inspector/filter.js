// What to show of the messages:
//
//   failed linux        both words, anywhere: exchange, key, routes, payload
//   "worker shutdown"   the phrase
//   -bitbar             without it
//   key:gecko           in one place only: key, exchange, route, payload
//   is:redelivered      delivered before
//
// Case makes no difference.

const term = /(-?)(?:(key|exchange|route|payload|is):)?(?:"([^"]*)"?|(\S+))/giy;

/** Parses a filter; returns a test for messages, or null where all pass. */
export function readFilter(text) {
  const tests = [];
  term.lastIndex = 0;
  const trimmed = text.trim();
  while (term.lastIndex < trimmed.length) {
    const found = term.exec(trimmed);
    if (!found) break;
    const [, minus, place, phrase, word] = found;
    const sought = (phrase ?? word).toLowerCase();
    if (sought !== '') tests.push(testOf(minus === '-', (place ?? 'all').toLowerCase(), sought));
    while (trimmed[term.lastIndex] === ' ') term.lastIndex++;
  }
  return tests.length === 0 ? null : (message) => tests.every((test) => test(message));
}

function testOf(without, place, sought) {
  const has = place === 'is' ? (m) => properties[sought]?.(m) ?? false : (m) => places[place](m).includes(sought);
  return without ? (m) => !has(m) : has;
}

const properties = {
  redelivered: (m) => m.redelivered,
  routed: (m) => m.routes.length > 0,
  binary: (m) => m.encoding === 'base64',
};

const places = {
  key: (m) => m.routingKey.toLowerCase(),
  exchange: (m) => m.exchange.toLowerCase(),
  route: (m) => m.routes.join('\n').toLowerCase(),
  payload: (m) => plain(m.payload).toLowerCase(),
  all: (m) => `${m.exchange}\n${m.routingKey}\n${m.routes.join('\n')}\n${plain(m.payload)}`.toLowerCase(),
};

const escape = /\\(?:u([0-9a-f]{4})|(["\\/]))/gi;

// JSON as people read it: "caf\u00e9" says café, "a\"b" says a"b.
function plain(json) {
  if (!json.includes('\\')) return json;
  return json.replace(escape, (_, code, sign) => (code ? String.fromCharCode(parseInt(code, 16)) : sign));
}
