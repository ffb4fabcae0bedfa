// How wide the table's columns are: as wide as what they have shown, so that room is left for an
// excerpt. They grow only, or the rows would never come to rest.

const widestName = 26; // letters
const besideKey = 6; // the number of routes
const widestField = 30;
const narrowestField = 5;
const longKey = 42; // what a phone shows in a line

export class Widths {
  #name = 8;
  #key = 12;
  #fields = []; // of {path, width}

  /** The columns are others. */
  reset(columns) {
    this.#fields = columns.map(({ path, title }) =>
      this.#fields.find((field) => field.path === path) ?? { path, width: Math.max(narrowestField, title.length + 5) });
  }

  /** Takes what a row shows; returns whether a column has grown. */
  add({ name, key, fields }) {
    const before = this.tracks;
    this.#name = Math.min(widestName, Math.max(this.#name, name.length));
    this.#key = Math.max(this.#key, key.length + besideKey);
    fields.forEach((text, i) => (this.#fields[i].width = Math.min(widestField, Math.max(this.#fields[i].width, text.length + 1))));
    return this.tracks !== before;
  }

  /** Whether a key has been shown that a phone's line cannot hold. */
  get longKeys() {
    return this.#key - besideKey > longKey;
  }

  /** As CSS's grid-template-columns: time, exchange, key, columns, excerpt, size. */
  get tracks() {
    return `12.5ch ${this.#name + 3}ch minmax(0, min(${this.#key}ch, 52%)) ${this.#fieldTracks} minmax(0, 1fr) 9ch`;
  }

  /** The same without an excerpt, where there is no room for one. */
  get shortTracks() {
    return `12.5ch ${this.#name + 3}ch minmax(0, ${this.#key}ch) ${this.#fieldTracks} minmax(9ch, 1fr)`;
  }

  get #fieldTracks() {
    return this.#fields.map(({ width }) => `minmax(0, ${width}ch)`).join(' ');
  }
}
