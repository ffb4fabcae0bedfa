// Names of exchanges as people tell them apart.

/** 'exchange/a/v1/b' → ['exchange/a/v1/', 'b']: the end is what tells them apart. */
export function nameParts(exchange) {
  const cut = exchange.lastIndexOf('/') + 1;
  return [exchange.slice(0, cut), exchange.slice(cut)];
}

/**
 * Short names: the last part of each name, and as much of what is before it as tells it from the
 * others with the same end.
 */
export class ShortNames {
  #byEnd = new Map(); // last part → names that end with it

  /** Returns the short name; changed(end) has been called where others with that end are longer now. */
  of(name, changed = () => {}) {
    const end = nameParts(name)[1] || name;
    const alike = this.#byEnd.get(end) ?? this.#byEnd.set(end, new Set()).get(end);
    if (!alike.has(name)) {
      alike.add(name);
      if (alike.size > 1) changed(end);
    }
    return alike.size === 1 ? end : shortest(name, [...alike]);
  }
}

// The shortest end of whole parts that none of the others has.
function shortest(name, alike) {
  const others = alike.filter((other) => other !== name);
  let cut = name.lastIndexOf('/');
  while (cut > 0) {
    cut = name.lastIndexOf('/', cut - 1);
    const end = name.slice(cut + 1);
    if (others.every((other) => !`/${other}`.endsWith(`/${end}`))) return end;
  }
  return name;
}
