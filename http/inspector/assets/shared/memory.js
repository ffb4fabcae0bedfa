// What the page remembers from visit to visit. Storage may be full or
// forbidden: then nothing is remembered and nothing else changes.

/** The text remembered under a name, or null. */
export function recall(name) {
  try {
    return localStorage.getItem('inspector.' + name);
  } catch {
    return null;
  }
}

/** Remembers a text under a name. */
export function remember(name, text) {
  try {
    localStorage.setItem('inspector.' + name, text);
  } catch {
    // See above.
  }
}
