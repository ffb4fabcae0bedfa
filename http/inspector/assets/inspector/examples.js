// Bindings worth looking at, offered when the page is opened for the first time.

const queue = (...names) => names.map((name) => ({ exchange: `exchange/taskcluster-queue/v1/${name}`, routingKeyPattern: '#' }));

const workers = (...names) => names.map((name) => ({ exchange: `exchange/taskcluster-worker-manager/v1/${name}`, routingKeyPattern: '#' }));

export const examples = [
  {
    title: 'Follow every task',
    about: 'pending, running, and how each one ends',
    bindings: queue('task-pending', 'task-running', 'task-completed', 'task-failed', 'task-exception'),
  },
  {
    title: 'What went wrong',
    about: 'failed tasks and exceptions only',
    bindings: queue('task-failed', 'task-exception'),
  },
  {
    title: 'Workers come and go',
    about: 'requested, started, stopped',
    bindings: workers('worker-requested', 'worker-running', 'worker-stopped'),
  },
  {
    title: 'Finished work',
    about: 'completed tasks, by their primary key',
    bindings: [{ exchange: 'exchange/taskcluster-queue/v1/task-completed', routingKeyPattern: 'primary.#' }],
  },
];
