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
