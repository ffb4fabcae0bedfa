package actors

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/hex"
)

// subject is whose stream it is: the name that counts, and the one that is shown. The zero value is
// a subject that is not known.
type subject struct{ name, shown string }

// shownSubjectBytes is how much of a subject's HMAC is shown: enough that two subjects of one
// service are not taken for each other.
const shownSubjectBytes = 8

// subjectOf returns the subject of a request, to be shown as Options.SubjectKey asks.
func (o Options) subjectOf(r Request) subject {
	if r.Subject == "" || o.SubjectKey == "" {
		return subject{r.Subject, r.Subject}
	}
	mac := hmac.New(sha256.New, []byte(o.SubjectKey))
	mac.Write([]byte(r.Subject))
	return subject{r.Subject, hex.EncodeToString(mac.Sum(nil)[:shownSubjectBytes])}
}
