// The path of a value in a payload, as jq and JavaScript write it: ".status.runs[0]".

const identifier = /^[A-Za-z_$][\w$]*$/;
const step = /\.([A-Za-z_$][\w$]*)|\[(\d+)\]|\[("(?:[^"\\]|\\.)*")\]/y;

/** Writes a path; labels are members' keys and elements' indexes. */
export const pathOf = (labels) =>
  labels.map((label) => (typeof label === 'number' ? `[${label}]` : identifier.test(label) ? `.${label}` : `[${JSON.stringify(label)}]`)).join('') || '.';

/** Reads a path; returns its labels, or null where it is none. */
export function labelsOf(path) {
  const labels = [];
  step.lastIndex = 0;
  while (step.lastIndex < path.length) {
    const found = step.exec(path);
    if (!found) return null;
    const [, key, index, quoted] = found;
    try {
      labels.push(key ?? (index !== undefined ? Number(index) : JSON.parse(quoted)));
    } catch {
      return null;
    }
  }
  return labels.length > 0 ? labels : null;
}
