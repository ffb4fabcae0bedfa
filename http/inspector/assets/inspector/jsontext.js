// JSON as it was written. JSON.parse turns 9007199254740993 into …992, moves
// keys that look like numbers to the front and forgets all but the last of
// two equal keys; an inspector of messages must do none of that.

/**
 * Reads a JSON text into nodes that keep the text:
 *
 *   {kind: 'object' | 'array', children: [{label, node}], start, end}
 *   {kind: 'string', value, start, end}
 *   {kind: 'number' | 'boolean' | 'null', text, start, end}
 *
 * label is a member's key or an element's index. Throws a SyntaxError where
 * the text is no JSON. Depth costs no stack.
 */
export function read(text) {
  JSON.parse(text); // what passes here needs no further checks, only places
  const root = { kind: 'root', children: [] };
  const open = [root];
  let at = 0;
  let key = null;

  const put = (node) => {
    const parent = open.at(-1);
    parent.children.push({ label: parent.kind === 'object' ? key : parent.children.length, node });
    key = null;
    return node;
  };

  while (at < text.length) {
    const c = text[at];
    if (c === '{' || c === '[') {
      open.push(put({ kind: c === '{' ? 'object' : 'array', children: [], start: at, end: at }));
      at++;
    } else if (c === '}' || c === ']') {
      at++;
      open.pop().end = at;
    } else if (c === '"') {
      const end = stringEnd(text, at);
      const value = JSON.parse(text.slice(at, end));
      if (open.at(-1).kind === 'object' && key === null) key = value;
      else put({ kind: 'string', value, start: at, end });
      at = end;
    } else if (isSpace(c) || c === ',' || c === ':') {
      at++;
    } else {
      const end = scalarEnd(text, at);
      put({ kind: kindOf(c), text: text.slice(at, end), start: at, end });
      at = end;
    }
  }
  return root.children[0].node;
}

const isSpace = (c) => c === ' ' || c === '\n' || c === '\r' || c === '\t';
const kindOf = (c) => (c === 't' || c === 'f' ? 'boolean' : c === 'n' ? 'null' : 'number');

// The place behind a string's closing quote; a quote behind an odd number of
// backslashes closes nothing.
function stringEnd(text, start) {
  for (let from = start + 1; ; ) {
    const quote = text.indexOf('"', from);
    let back = quote - 1;
    while (text[back] === '\\') back--;
    if ((quote - back) % 2 === 1) return quote + 1;
    from = quote + 1;
  }
}

function scalarEnd(text, at) {
  while (at < text.length && !',]} \n\r\t'.includes(text[at])) at++;
  return at;
}

/**
 * Finds one value of a JSON text without reading the rest into nodes; labels are the keys and
 * indexes on the way to it. Returns its {start, end}, or null. Of equal keys the first counts.
 */
export function pick(text, labels) {
  let at = skipSpace(text, 0);
  for (const label of labels) {
    if (text[at] !== (typeof label === 'number' ? '[' : '{')) return null;
    at = childAt(text, at, label);
    if (at < 0) return null;
  }
  return { start: at, end: valueEnd(text, at) };
}

// The place of the child with a label, of the object or array that starts at a place; -1 for none.
function childAt(text, start, label) {
  const closing = text[start] === '[' ? ']' : '}';
  let at = skipSpace(text, start + 1);
  for (let i = 0; at < text.length && text[at] !== closing; i++) {
    let key = i;
    if (closing === '}') {
      const end = stringEnd(text, at);
      key = JSON.parse(text.slice(at, end));
      at = skipSpace(text, skipSpace(text, end) + 1); // behind the colon
    }
    if (key === label) return at;
    at = skipSpace(text, valueEnd(text, at));
    if (text[at] === ',') at = skipSpace(text, at + 1);
  }
  return -1;
}

// The place behind a value. Depth costs no stack.
function valueEnd(text, at) {
  let depth = 0;
  do {
    const c = text[at];
    if (c === '"') at = stringEnd(text, at);
    else if (c === '{' || c === '[') {
      depth++;
      at++;
    } else if (c === '}' || c === ']') {
      depth--;
      at++;
    } else if (c === ',' || c === ':' || isSpace(c)) at++;
    else at = scalarEnd(text, at);
  } while (depth > 0 && at < text.length);
  return at;
}

function skipSpace(text, at) {
  while (isSpace(text[at])) at++;
  return at;
}

const deepest = 64; // levels of indentation: deeper ones would only add blanks

/** The same JSON over lines, indented by two; every value's text stays. */
export function pretty(text) {
  const out = [];
  let depth = 0;
  const newLine = () => out.push('\n', '  '.repeat(Math.min(depth, deepest)));
  for (let at = 0; at < text.length; ) {
    const c = text[at];
    if (c === '"') {
      const end = stringEnd(text, at);
      out.push(text.slice(at, end));
      at = end;
      continue;
    }
    at++;
    if (isSpace(c)) continue;
    if (c === '{' || c === '[') {
      while (isSpace(text[at])) at++;
      out.push(c);
      if (text[at] === '}' || text[at] === ']') {
        out.push(text[at++]);
        continue;
      }
      depth++;
      newLine();
    } else if (c === '}' || c === ']') {
      depth--;
      newLine();
      out.push(c);
    } else if (c === ',') {
      out.push(c);
      newLine();
    } else {
      out.push(c === ':' ? ': ' : c);
    }
  }
  return out.join('');
}
