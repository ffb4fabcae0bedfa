// Tabs by the book: arrows move, the chosen one is the only stop of the Tab
// key, and each shows its panel.

/** Wires the tabs of a list; chosen(tab) is called with each choice. */
export function tabs(list, chosen = () => {}) {
  const all = () => [...list.querySelectorAll('[role=tab]')];

  const choose = (tab) => {
    for (const other of all()) {
      const is = other === tab;
      other.setAttribute('aria-selected', is);
      other.tabIndex = is ? 0 : -1;
      const panel = document.getElementById(other.getAttribute('aria-controls'));
      if (panel && panel.dataset.shared === undefined) panel.hidden = !is;
    }
    chosen(tab);
  };

  list.addEventListener('click', (event) => {
    const tab = event.target.closest('[role=tab]');
    if (tab) choose(tab);
  });
  list.addEventListener('keydown', (event) => {
    const every = all();
    const at = every.indexOf(document.activeElement);
    const to = { ArrowRight: at + 1, ArrowLeft: at - 1, Home: 0, End: every.length - 1 }[event.key];
    if (to === undefined || at < 0) return;
    event.preventDefault();
    const tab = every[(to + every.length) % every.length];
    tab.focus();
    choose(tab);
  });
  return { choose };
}
