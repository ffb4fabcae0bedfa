package actors

// Which selects open streams, for [System.End] and [System.Send]. The zero value selects none.
type Which struct{ id, subject string }

// ByID selects the stream with this ID.
func ByID(id string) Which { return Which{id: id} }

// BySubject selects the streams of a Request.Subject. An empty subject selects none: it is that of
// all streams whose subject is not known.
func BySubject(subject string) Which { return Which{subject: subject} }

// selects reports whether a stream is meant.
func (w Which) selects(s *Stream) bool {
	return w.id != "" && w.id == s.id || w.subject != "" && w.subject == s.subject.name
}

// reason returns what the selected streams are told where no reason is named.
func (w Which) reason() *Error {
	if w.subject != "" {
		return errRevoked
	}
	return errEndedByHand
}
