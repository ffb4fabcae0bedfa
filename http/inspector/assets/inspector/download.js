// Messages as files. They are put together from the text that came, so that
// numbers are what was published, digit by digit.

// One message: the stream's own JSON with the time at which it came in front.
const line = (message) => `{"received":"${message.at.toISOString()}",${message.data.slice(1)}`;

const forms = {
  json: { type: 'application/json', parts: (all) => ['[\n', ...all.flatMap((m, i) => [i ? ',\n' : '', line(m)]), '\n]\n'] },
  ndjson: { type: 'application/x-ndjson', parts: (all) => all.flatMap((m) => [line(m), '\n']) },
};

/** Saves messages, in the order given, as 'json' or 'ndjson'. */
export function download(messages, form) {
  const { type, parts } = forms[form];
  const url = URL.createObjectURL(new Blob(parts(messages), { type }));
  const link = document.createElement('a');
  link.href = url;
  link.download = `pulse-messages-${new Date().toISOString().replace(/[:.]/g, '-')}.${form}`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url), 60_000); // the browser is still reading it
}
