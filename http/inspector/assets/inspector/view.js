// What the table shows of the messages: those that pass the filter, held
// still while paused. Everything that came is counted all the same.
import { Recent } from './recent.js';

const slice = 8; // ms of filtering between two chances for clicks

export class View {
  #all = new Recent();
  #shown = new Recent();
  #test = null;
  #changed;
  #held = null; // while paused: the messages as they were, oldest first
  #scan = 0; // number of the present scan; an older one stops
  #queue = null; // what the present scan has yet to test
  arrived = 0; // messages since clear()
  pausedAt = 0;

  /** Calls changed() when there is something else to show. */
  constructor(changed) {
    this.#changed = changed;
  }

  /** The messages to show, oldest first. */
  get shown() {
    return this.#shown;
  }

  get paused() {
    return this.#held !== null;
  }

  /** How many have come since the pause. */
  get waiting() {
    return this.paused ? this.arrived - this.pausedAt : 0;
  }

  get filtered() {
    return this.#test !== null;
  }

  /** How many messages are kept in all, and how many had to go. */
  get kept() {
    return this.#all.length;
  }

  get dropped() {
    return this.#all.dropped;
  }

  add(message) {
    this.arrived++;
    this.#all.push(message);
    if (this.paused) return this.#changed();
    if (this.#queue) this.#queue.push(message);
    else if (!this.#test || this.#test(message)) this.#shown.push(message);
    this.#dropOld();
    this.#changed();
  }

  // A filtered list is short of its own bound, yet must not show what the
  // full list has let go.
  #dropOld() {
    const oldest = this.#all.at(0).number;
    while (this.#shown.length > 0 && this.#shown.at(0).number < oldest) this.#shown.shift();
  }

  /** Shows only what passes a test; null shows all. */
  filter(test) {
    this.#test = test;
    return this.#rescan();
  }

  pause() {
    this.#held = this.#all.list();
    this.pausedAt = this.arrived;
    this.#changed();
  }

  resume() {
    this.#held = null;
    return this.#rescan();
  }

  clear() {
    this.#scan++;
    this.#queue = null;
    this.#all.clear();
    this.#shown = new Recent();
    if (this.paused) this.#held = [];
    this.arrived = 0;
    this.pausedAt = 0;
    this.#changed();
  }

  // Tests everything again, a slice at a time: ten thousand payloads take
  // longer than a click may wait. What comes meanwhile joins the queue.
  async #rescan() {
    const scan = ++this.#scan;
    const queue = this.#held ?? this.#all.list();
    if (!this.paused) this.#queue = queue;
    const passed = new Recent();
    let until = performance.now() + slice;
    for (let i = 0; i < queue.length; i++) {
      if (!this.#test || this.#test(queue[i])) passed.push(queue[i]);
      if (performance.now() < until) continue;
      await turn();
      if (scan !== this.#scan) return;
      until = performance.now() + slice;
    }
    this.#queue = null;
    passed.dropped = 0;
    this.#shown = passed;
    this.#changed();
  }

  /** Everything kept that passes the filter, oldest first. */
  list() {
    return this.#shown.list();
  }
}

const turn = () => new Promise((done) => setTimeout(done));
