// How wide the table's columns are: as wide as what they have shown, so that room is left for an
// excerpt. They grow only, or the rows would never come to rest.

const widestName = 26; // letters
const widestField = 30;
const narrowestField = 5;

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
    this.#key = Math.max(this.#key, key.length + 6); // with the number of routes
    fields.forEach((text, i) => (this.#fields[i].width = Math.min(widestField, Math.max(this.#fields[i].width, text.length + 1))));
    return this.tracks !== before;
  }

  /** As CSS's grid-template-columns: time, exchange, key, columns, excerpt, size. */
  get tracks() {
    const fields = this.#fields.map(({ width }) => `minmax(0, ${width}ch)`).join(' ');
    return `12.5ch ${this.#name + 3}ch minmax(0, min(${this.#key}ch, 52%)) ${fields} minmax(0, 1fr) 9ch`;
  }
}
