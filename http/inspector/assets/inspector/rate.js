// How many messages came in the last minutes, by series: a ring of
// buckets, each a few seconds wide.

export const width = 3; // seconds of a bucket
export const buckets = 60; // three minutes in all

export class Rate {
  #ring = Array.from({ length: buckets }, () => new Map());
  #newest = 0; // number of the newest bucket: seconds since the epoch / width
  #seconds = new Array(10).fill(0); // counts of the last seconds, for the figure
  #second = 0;
  #since = Infinity; // the second of the first message

  /** Counts a message of a series that came at a moment (ms). */
  add(series, now) {
    this.#turn(now);
    const bucket = this.#ring[this.#newest % buckets];
    bucket.set(series, (bucket.get(series) ?? 0) + 1);
    this.#since = Math.min(this.#since, this.#second);
    this.#seconds[this.#second % 10]++;
  }

  #turn(now) {
    const second = Math.floor(now / 1000);
    for (let passed = Math.min(second - this.#second, 10); passed > 0; passed--) this.#seconds[(second - passed + 1) % 10] = 0;
    this.#second = Math.max(second, this.#second);
    const bucket = Math.floor(now / 1000 / width);
    for (let passed = Math.min(bucket - this.#newest, buckets); passed > 0; passed--) this.#ring[(bucket - passed + 1) % buckets].clear();
    this.#newest = Math.max(bucket, this.#newest);
  }

  /** Messages a second over the nine seconds before the present one, or as many as there were. */
  perSecond(now) {
    this.#turn(now);
    const present = this.#second % 10;
    return this.#seconds.reduce((sum, n, i) => sum + (i === present ? 0 : n), 0) / Math.min(9, Math.max(1, this.#second - this.#since));
  }

  /** The buckets, oldest first: maps of series → messages; the last is still filling. */
  history(now) {
    this.#turn(now);
    return Array.from({ length: buckets }, (_, i) => this.#ring[(this.#newest + 1 + i) % buckets]);
  }

  clear() {
    this.#ring.forEach((bucket) => bucket.clear());
    this.#seconds.fill(0);
    this.#since = Infinity;
  }
}
