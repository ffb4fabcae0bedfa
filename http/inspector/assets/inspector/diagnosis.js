// Why a stream broke without a word. An EventSource can tell neither status
// nor reason, so the server is asked once more, by means that can.
import { explainTransport } from './failures.js';

const patience = 5000; // ms

const reasons = { 414: 'TooLong', 429: 'TooMany', 431: 'TooLong', 503: 'AtCapacity' };

/** Finds out why the stream at a URL broke; always resolves. */
export async function diagnose(url) {
  if (navigator.onLine === false) return explainTransport('Offline');
  const asking = new AbortController();
  const timeout = setTimeout(() => asking.abort(), patience);
  try {
    const answer = await fetch(harmless(url), { cache: 'no-store', signal: asking.signal });
    return judge(answer);
  } catch {
    return explainTransport('Unreachable');
  } finally {
    clearTimeout(timeout);
    asking.abort(); // the body tells nothing
  }
}

// The same request with its JSON cut short: what is checked before the
// bindings is checked the same (room, limits, length), but no queue is made.
const harmless = (url) => url.slice(0, -'%7D'.length);

function judge(answer) {
  if (!answer.ok) return explainTransport(reasons[answer.status] ?? 'Refused', describe(answer));
  const isStream = answer.headers.get('Content-Type')?.startsWith('text/event-stream');
  return explainTransport(isStream ? 'CutOff' : 'Refused', isStream ? '' : describe(answer));
}

function describe(answer) {
  const wait = Number(answer.headers.get('Retry-After'));
  const when = wait > 0 ? `; it asks to wait ${wait} s` : '';
  return `HTTP ${answer.status}${when}.`;
}
