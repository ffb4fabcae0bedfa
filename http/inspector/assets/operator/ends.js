// How streams ended: a counter for each code, and the last of them.
import { byId, make, setText } from '../shared/dom.js';
import { clock, count } from '../shared/format.js';
import { Rows } from './rows.js';
import { age, short } from './tree.js';

// What each code says to an operator, and whether it asks for a look:
// 'good' is daily life, 'warn' is the client's or the broker's doing, 'bad' is ours.
const codes = {
  ClientGone: ['good', 'The client left: a closed tab, a program that ended, its network'],
  ServerShutdown: ['good', 'Ended by an operator or the host program, or by the drain of this process'],
  StreamExpired: ['good', 'Ended at the greatest age (EVENTS_STREAM_AGE), or moved to another node (EVENTS_REBALANCE): the client opens another'],
  TokenExpired: ['good', 'The client’s token or session was valid until then: it comes back with a new one'],
  AccessRevoked: ['good', 'The host program, or an operator, ended the streams of this subject'],
  Unauthorized: ['warn', 'The client has no access, or not to these bindings'],
  InvalidBindings: ['warn', 'The client asked for bindings that cannot be'],
  ExchangeForbidden: ['warn', 'The list of allowed exchanges refused one'],
  BindingRefused: ['warn', 'The broker has no such exchange, or does not let us read it'],
  QueueDeleted: ['warn', 'The stream’s queue was deleted at the broker'],
  BrokerUnavailable: ['bad', 'There was no link to the broker when the stream was opened'],
  BrokerLost: ['bad', 'Broker, link or channel went away under the stream'],
  SlowConsumer: ['warn', 'The client read too slowly for what it asked for'],
  MessagesDropped: ['warn', 'The broker dropped messages of the stream’s queue: a policy of its operator'],
  InternalError: ['bad', 'A defect of the proxy ended this stream: the log has the cause'],
  Draining: ['warn', 'Refused: this process is going away'],
  AtCapacity: ['warn', 'Refused: as many streams as are allowed'],
  TooManyStreams: ['warn', 'Refused: too many streams of one address or subject'],
  TooManyConnects: ['warn', 'Refused: too many connects a second of one address'],
};

const meaning = (code) => codes[code] ?? ['warn', 'A code that this page does not know'];

export class Ends {
  #rows = new Rows(byId('ends'), (end) => ({ element: row(end), show: () => {} }));
  #codes = new Rows(byId('codes'), ([name]) => counter(name));

  show({ ends, stats }) {
    this.#rows.show(ends ?? [], (end) => end.id);
    byId('no-ends').hidden = ends?.length > 0;
    const counted = [...Object.entries(stats.Ended ?? {}), ...Object.entries(stats.Refused ?? {})].filter(([, n]) => n > 0);
    this.#codes.show(counted.toSorted(([a], [b]) => a.localeCompare(b)), ([name]) => name);
  }
}

function counter(name) {
  const [kind, text] = meaning(name);
  const number = make('strong', {});
  const element = make('li', { title: text, 'data-code': name }, make('span', { class: 'mood', 'data-mood': kind, text: name }), number);
  return { element, show: ([, n]) => setText(number, count(n)) };
}

function row(end) {
  const [kind, text] = meaning(end.code);
  return make('tr', { class: 'fresh', 'data-stream': end.id, 'data-code': end.code },
    make('td', { class: 'at', text: clock(new Date(end.at)).slice(0, 8) }),
    make('td', {}, make('span', { class: 'mood', 'data-mood': kind, text: end.code })),
    make('td', { class: 'meaning' }, make('span', { text }), end.reason ? make('span', { class: 'hint', text: end.reason }) : null),
    make('td', { class: 'client' }, make('span', { class: 'address', text: [end.subject, end.address || 'unknown'].filter(Boolean).join(' at ') }),
      make('code', { class: 'short', text: short(end.id), title: `Stream ${end.id}` })),
    make('td', { class: 'number', 'data-name': 'Age', text: age(end.age) }),
    make('td', { class: 'number', 'data-name': 'Messages', text: count(end.messages) }));
}
