// Package random breaks a running proxy at random for a while, and then looks
// whether it has healed: many clients read a stream of numbered messages while
// actors are made to fail, streams are ended by hand, clients vanish, and
// whatever else the caller can harm is harmed.
//
// What must hold, and is reported where it does not:
//
//   - a stream that ends says why in its last event;
//   - within one stream no number is missing and none comes twice;
//   - when the harm is over every client gets a stream and a message again;
//   - when the clients have left, no stream, actor or goroutine of theirs is
//     left in the process, and its memory is where it was.
//
// Everything that is drawn is drawn from one seed; what the network and the
// scheduler make of it is not.
package random
