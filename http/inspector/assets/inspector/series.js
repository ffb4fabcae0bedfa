// What a message's mark says: its meaning, where the exchange's name has one (completed, failed,
// exception), else the binding that brought it. Each mark has a shape of its own beside its colour.
import { nameParts } from '../shared/names.js';
import { matches } from './topic.js';

const meanings = [
  ['good', /(^|[-_.])(completed|succeeded|passed)$/],
  ['bad', /(^|[-_.])(failed|failure|error)$/],
  ['warn', /(^|[-_.])exception$/],
];

/** The marks, in the order in which the chart stacks them: meanings, six for bindings, one for all others. */
export const marks = ['good', 'bad', 'warn', '1', '2', '3', '4', '5', '6', '0'];

const numbered = 6;
let given = 0;
const known = new Map(); // binding, as text → its series

/** The series of a binding, the same at each call: {mark, name}. */
export function seriesOf({ exchange, routingKeyPattern }) {
  const key = `${exchange}\n${routingKeyPattern}`;
  let series = known.get(key);
  if (!series) {
    const end = nameParts(exchange)[1] || exchange;
    const meaning = meanings.find(([, said]) => said.test(end))?.[0];
    series = {
      mark: meaning ?? (given < numbered ? String(++given) : '0'),
      name: routingKeyPattern === '#' ? end : `${end} ${routingKeyPattern}`,
    };
    known.set(key, series);
  }
  return series;
}

/** Reports whether a binding brings a message, by its key or by a route. */
export function brings({ exchange, routingKeyPattern }, message) {
  if (exchange !== message.exchange) return false;
  return routingKeyPattern === '#' || matches(routingKeyPattern, message.routingKey)
    || message.routes.some((route) => matches(routingKeyPattern, `route.${route}`));
}

/** The series of a message: that of the first of the bindings that brings it. */
export function seriesFor(message, bindings) {
  const by = bindings.find((binding) => brings(binding, message));
  return seriesOf(by ?? { exchange: message.exchange, routingKeyPattern: '#' }); // its binding has gone meanwhile
}
