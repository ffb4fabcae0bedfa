// Elements that follow a list of things: one for each, made once, changed in
// place, so that focus, selection and open folds survive the next picture.

export class Rows {
  #root;
  #make;
  #rows = new Map(); // key → {element, show}

  /** make(item) returns {element, show(item)} for an item that is new. */
  constructor(root, make) {
    this.#root = root;
    this.#make = make;
  }

  /** Shows the items in their order; items with equal keyOf are the same as before. */
  show(items, keyOf) {
    const gone = new Map(this.#rows);
    for (const item of items) gone.delete(keyOf(item));
    for (const [key, { element }] of gone) {
      element.remove();
      this.#rows.delete(key);
    }
    let next = this.#root.firstElementChild;
    for (const item of items) {
      const { element, show } = this.#row(keyOf(item), item);
      show(item);
      if (element === next) next = next.nextElementSibling;
      else this.#root.insertBefore(element, next); // moving one costs it the focus: only where it must
    }
  }

  #row(key, item) {
    let row = this.#rows.get(key);
    if (!row) {
      row = this.#make(item);
      this.#rows.set(key, row);
    }
    return row;
  }
}
