// Why a stream ended, in plain words, and what to do next.

// meaning and next of each code that the server ends a stream with.
const codes = {
  InvalidBindings: {
    title: 'The bindings were not accepted',
    meaning: 'The server could not use what it was asked for.',
    next: 'Mend the binding that is named here, then start again. The same request would fail again.',
  },
  ExchangeForbidden: {
    title: 'This exchange is not open to you',
    meaning: 'The operator of this proxy allows certain exchanges only, and this is none of them.',
    next: 'Remove the binding, or ask the operator to allow the exchange.',
  },
  BindingRefused: {
    title: 'The broker refused an exchange',
    meaning: 'There is no exchange of this name, or this proxy may not read it.',
    next: 'Check the spelling, case included: an exchange exists only once its service has declared it.',
  },
  QueueDeleted: {
    title: 'The stream’s queue was deleted',
    meaning: 'The queue was deleted at the broker while it was in use; the messages in it are gone.',
    next: 'Reconnect for a new queue. What was published in between is not shown.',
  },
  BrokerUnavailable: {
    title: 'The message broker can’t be reached',
    meaning: 'The proxy is up, but has no connection to RabbitMQ at the moment. Your bindings are fine.',
    next: 'The proxy keeps trying to reach the broker. Reconnect in a few seconds.',
  },
  BrokerLost: {
    title: 'The message broker went away',
    meaning: 'The connection between the proxy and RabbitMQ broke while your stream was open.',
    next: 'Reconnect: brokers are usually back within seconds. What was published in between is not shown.',
  },
  SlowConsumer: {
    title: 'This page fell behind',
    meaning: 'Messages came faster than they could be delivered here, so the server cut the stream rather than lose some unseen.',
    next: 'Reconnect, with a narrower routing key pattern or fewer exchanges, or over a faster network.',
  },
  MessagesDropped: {
    title: 'The broker dropped messages',
    meaning: 'A policy of the broker’s operator limits the queue behind this stream, and messages were dropped from it.',
    next: 'Reconnect, with narrower bindings; tell the operator of the broker if it happens again.',
  },
  ServerShutdown: {
    title: 'The server has ended this stream',
    meaning: 'It is being restarted or replaced, or its operator has ended this one stream; nothing is wrong with your bindings.',
    next: 'Reconnect in a moment: this server, or the one that takes over, opens a new stream. What was published in between is not shown.',
  },
  Unauthorized: {
    title: 'You have no access to these bindings',
    meaning: 'This server asks who you are, or does not let you read one of these exchanges with this pattern.',
    next: 'Sign in, paste an access token beside the bindings, or remove the binding that is named here; then start again. The same request would fail again.',
  },
  StreamExpired: {
    title: 'The stream is to be opened anew',
    meaning: 'The operator of this proxy has streams opened anew at some age, or where one node of the broker has too many; nothing is wrong with your bindings.',
    next: 'Reconnect. What was published in between is not shown.',
  },
  TokenExpired: {
    title: 'Your access has expired',
    meaning: 'The token or the session that opened this stream was valid until now; nothing is wrong with your bindings.',
    next: 'Reconnect, with a new token or after signing in again. What was published in between is not shown.',
  },
  AccessRevoked: {
    title: 'Your access was taken away',
    meaning: 'This server, or its operator, ended the streams of your account.',
    next: 'Sign in again, or ask the operator. The same request may be refused.',
  },
  InternalError: {
    title: 'The server made a mistake',
    meaning: 'A defect in the proxy ended this stream; other streams are not touched.',
    next: 'Reconnect. If it happens again, tell the operator the time: the log has the cause.',
  },
};

// The same for a stream that broke without a word from the server, or does not begin.
const transport = {
  Offline: {
    title: 'You are offline',
    meaning: 'This device has no network connection.',
    next: 'Reconnect once the network is back.',
  },
  Unreachable: {
    title: 'The server can’t be reached',
    meaning: 'No answer came: the server is down, or the network between here and there is.',
    next: 'Check that the server runs, then reconnect.',
  },
  Crowded: {
    title: 'Six tabs listen already',
    meaning: 'Without HTTP/2 a browser opens six connections to a server at most, for all of its tabs together. Other tabs hold them: this one waits for its turn.',
    next: 'Stop or close one of those tabs, and this one connects by itself. Over https with HTTP/2 there is no such limit.',
  },
  AtCapacity: {
    title: 'The server takes no more streams just now',
    meaning: 'It answered 503: it has as many streams as its operator allows, or it is shutting down.',
    next: 'Close streams that you do not need, or reconnect later.',
  },
  TooMany: {
    title: 'Too many streams from your address',
    meaning: 'It answered 429: the operator limits the streams, or new streams a second, of one address.',
    next: 'Close other inspector tabs or programs that listen, then reconnect.',
  },
  TooLong: {
    title: 'Too many bindings for one request',
    meaning: 'The bindings travel in the URL, and this one is longer than the server takes.',
    next: 'Remove some bindings, or use one with a wider pattern instead.',
  },
  Refused: {
    title: 'The server did not open a stream',
    meaning: 'It answered with something else than an event stream.',
    next: 'Check that this page comes from an events proxy, and that no other proxy stands in between.',
  },
  CutOff: {
    title: 'The connection broke',
    meaning: 'The stream ended without the word of goodbye that the server always sends: the network, or something between here and the server, cut it.',
    next: 'The server answers again: reconnect. What was published in between is not shown.',
  },
};

/** Codes that a server may send, for tests and the help. */
export const serverCodes = Object.keys(codes);

/** Explains the data of the stream's error event. */
export function explainError(data) {
  let told;
  try {
    told = JSON.parse(data);
  } catch {
    told = null;
  }
  const code = typeof told?.code === 'string' ? told.code : 'InternalError';
  const texts = codes[code] ?? {
    title: 'The server ended the stream',
    meaning: 'It gave a reason that this page does not know.',
    next: told?.retryable ? 'Reconnecting may help.' : 'Change the bindings, then start again.',
  };
  const message = typeof told?.message === 'string' ? told.message : '';
  const retryAfterMs = Number.isFinite(told?.retryAfterMs) ? told.retryAfterMs : 0;
  return { code, retryable: told?.retryable !== false, retryAfterMs, message, ...texts };
}

/** Explains a stream that broke silently; reason is one of transport's names. */
export function explainTransport(reason, message = '') {
  return { code: reason, retryable: reason !== 'TooLong', message, ...transport[reason] };
}
