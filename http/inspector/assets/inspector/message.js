// A message as the page keeps it: the head decoded, the payload as the text
// that came, to be read only when it is looked at.
import { read } from './jsontext.js';

const encoder = new TextEncoder();

/**
 * Decodes the data of a message event:
 *
 *   {"payload":…,"exchange":"…","routingKey":"…","redelivered":false,"routes":[…]}
 *
 * number counts the stream's messages, at is when it came. Throws where the
 * data is none of this.
 */
export function decode(data, number, at) {
  const { payload, head } = split(data);
  return {
    number,
    at,
    data,
    payload, // JSON text
    size: sizeOf(payload, head),
    exchange: head.exchange,
    routingKey: head.routingKey,
    redelivered: head.redelivered === true,
    routes: head.routes.map(String),
    encoding: head.payloadEncoding ?? 'json', // or 'utf-8', 'base64', 'omitted'
  };
}

const before = '{"payload":';
const after = ',"exchange":';

// The server writes the payload first and `exchange` right behind it, and
// `,"exchange":` can't stand inside a JSON string; so its last occurrence is
// where the head starts, and a payload of megabytes needs no parsing. If that
// has no proper head, the fields came in another order.
function split(data) {
  const cut = data.lastIndexOf(after);
  if (data.startsWith(before) && cut > 0) {
    const head = parsed(`{${data.slice(cut + 1)}`);
    if (isHead(head)) return { head, payload: data.slice(before.length, cut) };
  }
  const head = parsed(data);
  if (!isHead(head)) throw new SyntaxError('this is no message');
  const payload = read(data).children.find(({ label }) => label === 'payload')?.node;
  return { head, payload: payload ? data.slice(payload.start, payload.end) : 'null' };
}

function parsed(text) {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

const isHead = (head) =>
  typeof head?.exchange === 'string' && typeof head.routingKey === 'string' && Array.isArray(head.routes);

// Bytes of the payload as it was published, whitespace apart.
function sizeOf(payload, { payloadEncoding: encoding, payloadBytes }) {
  if (encoding === 'omitted') return Number(payloadBytes) || 0;
  if (encoding === 'base64') return decodedSize(payload.slice(1, -1));
  if (encoding === 'utf-8') return encoder.encode(JSON.parse(payload)).length;
  return encoder.encode(payload).length;
}

const decodedSize = (base64) => (base64.length / 4) * 3 - (base64.endsWith('==') ? 2 : base64.endsWith('=') ? 1 : 0);

/** The bytes of a base64 payload. */
export function payloadBytes(message) {
  return Uint8Array.from(atob(JSON.parse(message.payload)), (c) => c.charCodeAt(0));
}
