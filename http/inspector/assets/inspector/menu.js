// A button with a menu: opens below it, arrows move, Escape closes.

/** Wires a button and its menu; picked(item) is called with the item clicked. */
export function menu(button, list, picked) {
  const items = () => [...list.querySelectorAll('[role=menuitem]')];

  const set = (open, focus = true) => {
    list.hidden = !open;
    button.setAttribute('aria-expanded', open);
    if (focus) (open ? items()[0] : button).focus();
  };

  button.addEventListener('click', () => set(list.hidden));
  list.addEventListener('click', (event) => {
    const item = event.target.closest('[role=menuitem]');
    if (!item) return;
    set(false);
    picked(item);
  });
  list.addEventListener('keydown', (event) => {
    const every = items();
    const at = every.indexOf(document.activeElement);
    const to = { ArrowDown: at + 1, ArrowUp: at - 1, Home: 0, End: every.length - 1 }[event.key];
    if (event.key === 'Escape') set(false);
    else if (event.key === 'Tab') return set(false, false);
    else if (to !== undefined) every[(to + every.length) % every.length].focus();
    else return;
    event.preventDefault();
    event.stopPropagation();
  });
  document.addEventListener('pointerdown', (event) => {
    if (!list.hidden && !list.contains(event.target) && !button.contains(event.target)) set(false, false);
  });
}
