// The counters and the chart: what has come in all, whatever the table shows.
import { byId, setText } from '../shared/dom.js';
import { Chart } from './chart.js';
import { bytes, count, rate, stopwatch } from '../shared/format.js';
import { Rate } from './rate.js';

export class Figures {
  #rate = new Rate();
  #chart = new Chart({ figure: byId('chart'), svg: byId('chart-bars'), top: byId('chart-top'), tip: byId('chart-tip') });
  #received = 0;
  #bytes = 0;
  #redelivered = 0;
  #opened = null; // when the stream was opened, ms

  add(message) {
    this.#received++;
    this.#bytes += message.size;
    if (message.redelivered) this.#redelivered++;
    this.#rate.add(message.series, message.at.getTime());
  }

  /** Says whether a stream is open now. */
  open(is) {
    this.#opened = is ? this.#opened ?? Date.now() : null;
  }

  clear() {
    this.#received = this.#bytes = this.#redelivered = 0;
    this.#rate.clear();
    this.draw();
    this.drawChart();
  }

  draw() {
    setText(byId('count-received'), count(this.#received));
    setText(byId('count-data'), bytes(this.#bytes));
    setText(byId('count-redelivered'), count(this.#redelivered));
    byId('count-redelivered').parentElement.toggleAttribute('data-none', this.#redelivered === 0);
  }

  /** To be called once a second. */
  drawChart() {
    const now = Date.now();
    setText(byId('count-rate'), rate(this.#rate.perSecond(now)));
    setText(byId('count-open'), this.#opened === null ? '–' : stopwatch((now - this.#opened) / 1000));
    this.#chart.draw(this.#rate.history(now));
  }
}
