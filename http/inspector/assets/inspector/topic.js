// Routing key patterns, as a broker's topic exchange reads them: words with
// dots between; `*` stands for one word, `#` for any number of words.

/** The words of a key or pattern; an empty text has none. */
export const words = (text) => (text === '' ? [] : text.split('.'));

/** Whether a pattern matches a key. */
export const matches = (pattern, key) => align(pattern, key) !== null;

/**
 * How a pattern covers a key: for each word of the pattern the words of the
 * key that it stands for; null where it does not match.
 *
 *   align('primary.*.#', 'primary.a.b.c') → [['primary'], ['a'], ['b', 'c']]
 */
export function align(pattern, key) {
  const wanted = words(pattern);
  const given = words(key);
  const reach = reachable(wanted, given);
  if (!reach[0][0]) return null;

  const covered = [];
  let at = 0;
  wanted.forEach((word, i) => {
    const from = at;
    // `#` takes as much as leaves the rest of the pattern satisfied.
    if (word === '#') at = reach[i + 1].lastIndexOf(true);
    else at++;
    covered.push(given.slice(from, at));
  });
  return covered;
}

// reachable[i][j]: do the pattern's words from i on match the key's from j on?
function reachable(wanted, given) {
  const reach = Array.from({ length: wanted.length + 1 }, () => new Array(given.length + 1).fill(false));
  reach[wanted.length][given.length] = true;
  for (let i = wanted.length - 1; i >= 0; i--) {
    for (let j = given.length; j >= 0; j--) {
      const rest = reach[i + 1];
      if (wanted[i] === '#') reach[i][j] = rest[j] || (j < given.length && reach[i][j + 1]);
      else reach[i][j] = j < given.length && (wanted[i] === '*' || wanted[i] === given[j]) && rest[j + 1];
    }
  }
  return reach;
}

/** A pattern in plain words: 'primary.*.#' → "primary, then any one word, then anything". */
export function explain(pattern) {
  const parts = words(pattern);
  if (parts.length === 0) return 'Only messages without a routing key.';
  if (parts.every((word) => word === '#')) return 'Every message of the exchange.';
  if (!parts.some((word) => word === '*' || word === '#')) return 'Only messages with exactly this routing key.';
  const phrases = [];
  for (let i = 0; i < parts.length; ) {
    let same = i + 1;
    while (same < parts.length && parts[same] === parts[i] && '*#'.includes(parts[i])) same++;
    phrases.push(phrase(parts[i], same - i));
    i = same;
  }
  return `Keys made of ${phrases.join(', then ')}.`;
}

function phrase(word, times) {
  if (word === '') return 'an empty word';
  if (word === '#') return 'anything or nothing';
  if (word === '*') return times === 1 ? 'any one word' : `any ${times} words`;
  return `“${word}”`;
}

const mostMany = 2; // words `#` that the server takes in a pattern

/** Returns what is probably not meant in a pattern, as sentences, or ''. */
export function caution(pattern) {
  const parts = words(pattern);
  const said = parts
    .filter((word) => word.length > 1 && /[*#]/.test(word))
    .map((word) => `“${word}” is taken letter by letter: * and # stand for words only where they are alone between dots.`);
  if (parts.includes('')) said.push('A dot at an end, or two in a row, make an empty word; few keys have one.');
  if (many(parts) > mostMany) said.push(`The server takes ${mostMany} words # in a pattern at most.`);
  return said.join(' ');
}

// How many words `#` are left where `#.#` is `#` and `#.*` is `*.#`, as the server counts them.
function many(parts) {
  let n = 0;
  let open = false;
  for (const word of parts) {
    if (word === '#' && !open) n++;
    if (word !== '*') open = word === '#';
  }
  return n;
}
