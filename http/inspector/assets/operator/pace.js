// How fast a counter grows, over the last seconds: messages come in bursts, and from one picture
// to the next a steady stream of them reads 38, 78, 0, 35.

const span = 10_000; // ms

export class Pace {
  #samples = []; // {at, value}, oldest first: the last one that is older than the span, and all since

  /** Takes the counter's value at a time, in ms. One that has fallen is another process's: it starts anew. */
  add(at, value) {
    if (this.#samples.length > 0 && value < this.#samples.at(-1).value) this.#samples = [];
    this.#samples.push({ at, value });
    while (this.#samples.length > 2 && this.#samples[1].at <= at - span) this.#samples.shift();
  }

  /** The growth a second over the span, or over as much of it as is known. */
  get perSecond() {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    return last?.at > first.at ? ((last.value - first.value) / (last.at - first.at)) * 1000 : 0;
  }
}
