package faults

import "github.com/taskcluster/events-proxy/test/clients"

// VanishingClient takes clients away without a word, as a lid that is shut or
// a phone in a tunnel: what is sent to them is not acknowledged, and no end
// comes from them. They do not come back.
var VanishingClient = Fault{"vanish", each((*clients.Stream).Vanish), unacknowledged}
