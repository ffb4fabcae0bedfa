// The newest messages, in the order in which they came. Nothing in the page
// grows without bound: beyond a number of rows, or of characters in all, the
// oldest go.

export const mostRows = 10_000;
export const mostCharacters = 128 << 20; // large payloads would fill the tab long before the rows do

export class Recent {
  #items = [];
  #head = 0; // index of the oldest; the places before it are free
  #characters = 0;
  dropped = 0; // how many had to go since clear()

  get length() {
    return this.#items.length - this.#head;
  }

  /** The message at a position, the oldest being 0. */
  at(position) {
    return this.#items[this.#head + position];
  }

  push(message) {
    this.#items.push(message);
    this.#characters += message.data.length;
    while (this.length > mostRows || (this.#characters > mostCharacters && this.length > 1)) this.shift();
  }

  /** Lets the oldest go. */
  shift() {
    this.#characters -= this.#items[this.#head].data.length;
    this.#items[this.#head++] = undefined;
    this.dropped++;
    // Moving the rest down once in a while costs less than at each shift.
    if (this.#head > mostRows) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }

  clear() {
    this.#items = [];
    this.#head = 0;
    this.#characters = 0;
    this.dropped = 0;
  }

  /** A copy, oldest first. */
  list() {
    return this.#items.slice(this.#head);
  }
}
