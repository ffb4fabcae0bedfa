// The rate chart: a bar for each few seconds, stacked by what its messages count to.
import { makeSVG, setText } from '../shared/dom.js';
import { count, rate } from '../shared/format.js';
import { buckets, width } from './rate.js';
import { marks } from './series.js';

const step = 600 / buckets; // of the drawing's 600 by 100
const gap = 2;

export class Chart {
  #figure;
  #paths;
  #top;
  #tip;
  #history = [];

  constructor({ figure, svg, top, tip }) {
    this.#figure = figure;
    this.#top = top;
    this.#tip = tip;
    svg.append(makeSVG('path', { class: 'grid', d: 'M0 0.500H600M0 50H600M0 99.500H600' }));
    this.#paths = marks.map((mark) => makeSVG('path', { class: 'bars', 'data-mark': mark }));
    svg.append(...this.#paths);
    figure.addEventListener('pointermove', (event) => this.#point(event));
    figure.addEventListener('pointerleave', () => (tip.hidden = true));
  }

  /** Draws the buckets that Rate.history returns. */
  draw(history) {
    this.#history = history;
    const sums = history.map(sum);
    const top = niceTop(Math.max(...sums) / width);
    const lines = marks.map(() => []);
    history.forEach((bucket, i) => this.#stack(bucket, i, 100 / (top * width), lines));
    this.#paths.forEach((path, i) => path.setAttribute('d', lines[i].join('')));
    setText(this.#top, rate(top));
    this.#describe(sums);
  }

  #stack(bucket, i, scale, lines) {
    const heights = marks.map(() => 0);
    for (const [{ mark }, n] of bucket) heights[marks.indexOf(mark)] += n * scale;
    let bottom = 100;
    heights.forEach((height, of) => {
      if (height === 0) return;
      const x = (i * step + gap / 2).toFixed(1);
      lines[of].push(`M${x} ${bottom.toFixed(2)}h${step - gap}v${(-height).toFixed(2)}h${gap - step}z`);
      bottom -= height;
    });
  }

  #describe(sums) {
    const all = sums.reduce((a, b) => a + b, 0);
    const most = Math.max(...sums) / width;
    const text = all === 0
      ? 'Messages a second: none in the last three minutes'
      : `Messages a second in the last three minutes: ${count(all)} in all, at most ${rate(most)}`;
    if (this.#figure.getAttribute('aria-label') !== text) this.#figure.setAttribute('aria-label', text);
  }

  #point(event) {
    const box = this.#figure.getBoundingClientRect();
    const i = Math.floor(((event.clientX - box.left) / box.width) * buckets);
    const bucket = this.#history[i];
    this.#tip.hidden = !bucket;
    if (!bucket) return;
    const parts = [...bucket].sort(([, a], [, b]) => b - a).map(([{ name }, n]) => `${name} ${count(n)}`);
    const ago = (buckets - 1 - i) * width;
    setText(this.#tip, [ago === 0 ? 'now' : `${ago} s ago`, ...(parts.length ? parts : ['nothing'])].join(' · '));
    this.#tip.classList.toggle('left', i > buckets / 2);
  }
}

const sum = (bucket) => [...bucket.values()].reduce((a, b) => a + b, 0);

// The next of 1, 2, 5, 10, 20, … above a rate, so that the scale seldom changes.
function niceTop(most) {
  let top = 1;
  for (let i = 0; top < most; i++) top *= i % 3 === 1 ? 2.5 : 2;
  return top;
}
