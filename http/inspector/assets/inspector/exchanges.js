// The exchanges that Taskcluster's services publish on: what each announces
// and what the words of its routing keys are.

// The last word of a key may in fact be several: marked with a plus.
const task = 'primary taskId runId workerGroup workerId provisionerId workerType schedulerId taskGroupId reserved+';
const group = 'primary taskGroupId schedulerId reserved+';
const worker = 'primary providerId provisionerId workerType workerGroup workerId launchConfigId reserved+';
const repository = 'primary organization repository';

const services = {
  'taskcluster-queue': [
    ['task-defined', 'a task was created, its dependencies not yet met', task],
    ['task-pending', 'a task waits for a worker', task],
    ['task-running', 'a worker has claimed a task', task],
    ['task-completed', 'a task ended well', task],
    ['task-failed', 'a task ran and failed', task],
    ['task-exception', 'a task was cancelled, expired or lost its worker', task],
    ['artifact-created', 'a task has a new artifact', task],
    ['task-priority-changed', 'a task has another priority', task],
    ['task-group-resolved', 'every task of a group is resolved', group],
    ['task-group-sealed', 'a group takes no more tasks', group],
    ['task-group-priority-changed', 'a group has another priority', group],
  ],
  'taskcluster-worker-manager': [
    ['worker-pool-created', 'there is a new worker pool', worker],
    ['worker-pool-updated', 'a worker pool was changed', worker],
    ['worker-pool-error', 'a worker pool could not provision', worker],
    ['worker-requested', 'a worker was requested from its cloud', worker],
    ['worker-running', 'a worker has started', worker],
    ['worker-stopped', 'a worker has stopped', worker],
    ['worker-removed', 'a worker was told to go', worker],
    ['launch-config-created', 'there is a new launch configuration', worker],
    ['launch-config-updated', 'a launch configuration was changed', worker],
    ['launch-config-archived', 'a launch configuration was put away', worker],
  ],
  'taskcluster-github': [
    ['push', 'commits were pushed to a repository', repository],
    ['pull-request', 'a pull request was opened or changed', repository + ' action'],
    ['release', 'a repository has a release', repository],
    ['rerun', 'a check was requested again', repository],
    ['task-group-creation-requested', 'tasks for a push were asked for', repository],
  ],
  'taskcluster-hooks': [
    ['hook-created', 'there is a new hook', 'reserved+'],
    ['hook-updated', 'a hook was changed', 'reserved+'],
    ['hook-deleted', 'a hook is gone', 'reserved+'],
  ],
  'taskcluster-auth': [
    ['client-created', 'there is a new client', 'reserved+'],
    ['client-updated', 'a client was changed', 'reserved+'],
    ['client-deleted', 'a client is gone', 'reserved+'],
    ['role-created', 'there is a new role', 'reserved+'],
    ['role-updated', 'a role was changed', 'reserved+'],
    ['role-deleted', 'a role is gone', 'reserved+'],
  ],
  'taskcluster-notify': [['notification', 'a notification for a topic', 'primary topic+']],
};

/** Every well-known exchange: {name, about, key: [{name, many}]}. */
export const known = Object.entries(services).flatMap(([service, entries]) =>
  entries.map(([exchange, about, key]) => ({
    name: `exchange/${service}/v1/${exchange}`,
    about,
    key: key.split(' ').map((word) => ({ name: word.replace('+', ''), many: word.endsWith('+') })),
  })),
);

const byName = new Map(known.map((exchange) => [exchange.name, exchange]));

/** The well-known exchange of a name, or undefined. */
export const lookUp = (name) => byName.get(name);

/**
 * Names the words of a routing key: [{name, words}]; null where the exchange
 * is not known, the key is not its primary one (a task's own route, say), or
 * has too few words.
 */
export function dissect(exchange, routingKey) {
  const parts = lookUp(exchange)?.key;
  const given = routingKey.split('.');
  if (!parts || parts.length < 2 || given[0] !== 'primary') return null;
  const fixed = parts.filter((part) => !part.many).length;
  if (given.length < fixed || (given.length > fixed && !parts.at(-1).many)) return null;
  return parts.map((part, i) => ({ name: part.name, words: part.many ? given.slice(i) : [given[i]] }));
}

const slips = 8; // letters that a mistyped name may be off

/** The names most like a mistyped one, best first; none where nothing is like it. */
export function alike(name, among) {
  const near = among
    .filter((candidate) => candidate !== name && Math.abs(candidate.length - name.length) <= slips)
    .map((candidate) => ({ candidate, off: distance(name.toLowerCase(), candidate.toLowerCase()) }))
    .filter(({ off }) => off <= slips)
    .sort((a, b) => a.off - b.off);
  return near.filter(({ off }) => off <= near[0].off + 1).slice(0, 2).map(({ candidate }) => candidate);
}

/** Levenshtein's distance: letters to add, remove or change. The names are short. */
export function distance(a, b) {
  let row = Array.from({ length: b.length + 1 }, (_, j) => j);
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      next[j] = Math.min(next[j - 1] + 1, row[j] + 1, row[j - 1] + (a[i - 1] === b[j - 1] ? 0 : 1));
    }
    row = next;
  }
  return row[b.length];
}
