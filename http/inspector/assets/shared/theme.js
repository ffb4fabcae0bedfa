// Sets the chosen colours before the first paint, so that nothing flashes.
// A plain script in the head; the button that changes the choice is theme's
// other half, in colours.js.
(() => {
  let chosen = null;
  try {
    chosen = localStorage.getItem('inspector.theme');
  } catch {
    // Storage may be forbidden: then the system's choice stands.
  }
  if (chosen === 'light' || chosen === 'dark') {
    document.documentElement.dataset.theme = chosen;
  }
})();
