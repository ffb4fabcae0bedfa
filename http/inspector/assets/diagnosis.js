// Why a stream broke without a word. An EventSource can tell neither status
// nor reason, so the server is asked once, with HEAD: that costs it no queue.
import { explainTransport } from './failures.js';

const patience = 5000; // ms

const reasons = { 429: 'TooMany', 431: 'TooLong', 414: 'TooLong', 503: 'AtCapacity' };

/** Finds out why the stream at a URL broke; always resolves. */
export async function diagnose(url) {
  if (navigator.onLine === false) return explainTransport('Offline');
  let answer;
  try {
    answer = await fetch(url, { method: 'HEAD', cache: 'no-store', signal: AbortSignal.timeout(patience) });
  } catch {
    return explainTransport('Unreachable');
  }
  if (answer.ok) return explainTransport('CutOff');
  return explainTransport(reasons[answer.status] ?? 'Refused', describe(answer));
}

function describe(answer) {
  const wait = Number(answer.headers.get('Retry-After'));
  const when = wait > 0 ? `; it asks to wait ${wait} s` : '';
  return `HTTP ${answer.status}${when}.`;
}
