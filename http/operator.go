package httpapi

import (
	"errors"
	"net/http"
	"strconv"
	"time"

	"github.com/taskcluster/events-proxy/actors"
	"github.com/taskcluster/events-proxy/http/sse"
)

// What is served to operators, on a listener of its own:
//
//	GET  /                                  a page that shows and does all below
//	GET  /__tree__                          the snapshot
//	GET  /__tree__/events?streams=N         the same as an event stream, once a second
//	GET  /__tree__/ends?after=N             the streams that have ended, after the N-th
//	POST /__tree__/end?stream=ID            ends a stream: ServerShutdown
//	POST /__tree__/end?subject=NAME         ends the streams of a subject: AccessRevoked
//	POST /__chaos__/crash?role=R&stream=ID  makes an actor fail, only with Chaos
const (
	treePeriod  = time.Second
	treeStreams = 500 // streams in one event, unless the request says how many
)

var (
	nameTree   = sse.MustName("tree")
	treeFrames = sse.Encoder{} // no id: an operator's page may reconnect by itself
)

// picture is the JSON of the live tree.
type picture struct {
	actors.Snapshot
	Chaos    bool `json:"chaos"`    // the operator may make actors fail
	Draining bool `json:"draining"` // no new streams are admitted
}

// tree answers with the live supervision tree and its counters.
func (h *Handler) tree(w http.ResponseWriter, _ *http.Request) {
	writeJSON(w, http.StatusOK, h.picture(h.system.Snapshot()))
}

func (h *Handler) picture(s actors.Snapshot) picture {
	return picture{s, h.options.Chaos, h.draining()}
}

// treeEvents answers with the same as an event stream, until the client or the
// process goes. Of many streams it sends those that lag most, and their actors.
func (h *Handler) treeEvents(w http.ResponseWriter, r *http.Request) {
	most := treeStreams
	if text := r.URL.Query().Get("streams"); text != "" {
		n, err := strconv.Atoi(text)
		if err != nil || n < 0 {
			writeError(w, r, http.StatusBadRequest, "InvalidParameter", "streams is the number of streams to show")
			return
		}
		most = n
	}
	streamHeaders(w.Header())
	tick := time.NewTicker(treePeriod)
	defer tick.Stop()
	for h.writeTree(w, most) == nil {
		select {
		case <-r.Context().Done():
			return
		case <-tick.C:
		}
	}
}

// ends answers with the streams that have ended, oldest first, after the one of a number.
func (h *Handler) ends(w http.ResponseWriter, r *http.Request) {
	after := int64(0)
	if text := r.URL.Query().Get("after"); text != "" {
		var err error
		if after, err = strconv.ParseInt(text, 10, 64); err != nil || after < 0 {
			writeError(w, r, http.StatusBadRequest, "InvalidParameter", "after is the number of an end")
			return
		}
	}
	writeJSON(w, http.StatusOK, h.system.Ends(after))
}

// writeTree writes one frame within the write timeout.
func (h *Handler) writeTree(w http.ResponseWriter, most int) error {
	data, err := sse.NewData(oneLineJSON(h.picture(h.system.Snapshot().Most(most))))
	if err != nil {
		return err
	}
	control := http.NewResponseController(w)
	if err := control.SetWriteDeadline(time.Now().Add(h.options.WriteDeadline)); err != nil && !errors.Is(err, http.ErrNotSupported) {
		return err
	}
	if _, err := w.Write(treeFrames.Append(nil, nameTree, data)); err != nil {
		return err
	}
	return control.Flush()
}

// endStreams ends one stream by hand, or all of a subject.
func (h *Handler) endStreams(w http.ResponseWriter, r *http.Request) {
	query, which := r.URL.Query(), actors.Which{}
	if query.Has("subject") {
		which = actors.BySubject(query.Get("subject"))
	} else {
		which = actors.ByID(query.Get("stream"))
	}
	count, err := h.system.End(which, nil)
	if err == nil && count == 0 {
		err = errNoSuchStream
	}
	h.acted(w, r, err)
}

var errNoSuchStream = &actors.Error{Code: notFound, Reason: "There is no such stream"}

// crash makes an actor fail.
func (h *Handler) crash(w http.ResponseWriter, r *http.Request) {
	query := r.URL.Query()
	h.acted(w, r, h.system.Crash(actors.Role(query.Get("role")), query.Get("stream")))
}

// acted answers an operator who asked for something to happen.
func (h *Handler) acted(w http.ResponseWriter, r *http.Request, err error) {
	if err == nil {
		writeJSON(w, http.StatusOK, struct{}{})
		return
	}
	reason := err.Error()
	if told := (*actors.Error)(nil); errors.As(err, &told) {
		reason = told.Reason
	}
	writeError(w, r, http.StatusNotFound, "ResourceNotFound", reason)
}
