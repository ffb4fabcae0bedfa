// The beginning of a payload as a line of plain text, to be recognised rather than read.

const longest = 240; // letters of the payload

const quotes = /"((?:[^"\\]|\\.)*)"(:)?/g;

/** Returns the line: `status: {taskId: abc, …`. */
export function excerpt({ payload, encoding }) {
  if (encoding === 'base64') return 'bytes';
  if (encoding === 'omitted') return 'left out';
  const start = payload.slice(0, longest);
  if (encoding !== 'json') return start.slice(1).replace(/"$/, '').replaceAll('\\n', ' ');
  return start.replace(/^\{/, '').replace(/\}$/, '').replace(quotes, (_, text, colon) => (colon ? `${text}: ` : text)).replaceAll(',', ', ');
}
