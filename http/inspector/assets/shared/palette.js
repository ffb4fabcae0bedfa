// A colour for each exchange, the same in the list, the chart and the
// bindings: the first six that are seen have their own, the others share one.

const most = 6;
const given = new Map();

/** The number of an exchange's colour: 1 to 6, or 0 for the shared one. */
export function colourOf(exchange) {
  let colour = given.get(exchange);
  if (colour === undefined) {
    colour = given.size < most ? given.size + 1 : 0;
    given.set(exchange, colour);
  }
  return colour;
}

/** 'exchange/a/v1/b' → ['exchange/a/v1/', 'b']: the end is what tells them apart. */
export function nameParts(exchange) {
  const cut = exchange.lastIndexOf('/') + 1;
  return [exchange.slice(0, cut), exchange.slice(cut)];
}
