//go:build unix

package doctor

import (
	"context"
	"math"
	"syscall"
)

// spare is how many files a process holds beside its streams: listeners, links, the log.
const spare = 256

// files compares the limit of open files (ulimit -n) with the streams that are to be served. Go
// raises the soft limit to the hard one by itself.
func (v *visit) files(context.Context) Finding {
	var limit syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit); err != nil {
		return skip("%s", plain(err))
	}
	const mend = "raise the limit: ulimit -n, LimitNOFILE= in the systemd unit, --ulimit nofile= of the container"
	most := uint64(limit.Max)
	switch streams := v.options.Config.Limits.Streams; {
	case streams > 0 && most < uint64(streams)+spare:
		return fail(mend, "this process may open %d files, and the settings allow %d streams", most, streams)
	case streams == 0 && most < 1024:
		return fail(mend, "this process may open %d files: each stream is one", most)
	case most > math.MaxInt32:
		return pass("no limit for this process (a service has its own)")
	}
	return pass("up to %d for this process (a service has its own)", most)
}
