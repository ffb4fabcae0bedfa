// The only place where elements are made. Whatever comes from a stream is
// hostile and goes in as text: there is no way here to hand over markup.

const svgSpace = 'http://www.w3.org/2000/svg';

/** The element with an id; a missing one is a defect of the page. */
export function byId(id) {
  const found = document.getElementById(id);
  if (!found) throw new Error(`no element #${id}`);
  return found;
}

/**
 * Makes an element. Of the properties, `text` is its text, functions are
 * listeners by the event's name (`click`), all others are attributes; null
 * and undefined leave an attribute out, as false does save for ARIA's.
 */
export function make(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** Makes an SVG element, as make does. */
export function makeSVG(tag, properties = {}, ...children) {
  return fill(document.createElementNS(svgSpace, tag), properties, children);
}

function fill(made, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (name === 'text') made.textContent = value;
    else if (typeof value === 'function') made.addEventListener(name, value);
    else if (value === null || value === undefined) continue;
    else if (name.startsWith('aria-') || typeof value !== 'boolean') made.setAttribute(name, value); // ARIA spells true and false out
    else made.toggleAttribute(name, value);
  }
  made.append(...children.filter((child) => child !== null && child !== undefined));
  return made;
}

/** Sets an element's text only where it differs: an equal one costs no layout. */
export function setText(target, text) {
  if (target.textContent !== text) target.textContent = text;
}

/** A button that does one thing. */
export function button(text, click, properties = {}) {
  return make('button', { type: 'button', text, click, ...properties });
}
