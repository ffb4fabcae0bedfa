package bench

import (
	"bytes"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"
)

// Usage is what the kernel counts for a process.
type Usage struct {
	CPU time.Duration // user and system, since its start; to 10 ms
	RSS int64         // resident bytes now
}

// clockTick is the kernel's unit of CPU time in /proc: USER_HZ, 100 on every
// architecture that Go runs on.
const clockTick = 10 * time.Millisecond

// UsageOf reads /proc, for all the processes together. One that has ended uses
// nothing.
func UsageOf(pids ...int) Usage {
	var all Usage
	for _, pid := range pids {
		u := usageOf(pid)
		all.CPU += u.CPU
		all.RSS += u.RSS
	}
	return all
}

func usageOf(pid int) (u Usage) {
	if stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid)); err == nil {
		// pid (name) state … : the name may hold anything, its end is the last bracket
		fields := bytes.Fields(stat[bytes.LastIndexByte(stat, ')')+1:])
		user, _ := strconv.ParseInt(string(fields[11]), 10, 64)
		system, _ := strconv.ParseInt(string(fields[12]), 10, 64)
		u.CPU = time.Duration(user+system) * clockTick
	}
	if statm, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid)); err == nil {
		pages, _ := strconv.ParseInt(string(bytes.Fields(statm)[1]), 10, 64)
		u.RSS = pages * int64(os.Getpagesize())
	}
	return u
}

// Since returns what was used between two readings, the memory as it grew.
func (u Usage) Since(before Usage) Usage { return Usage{u.CPU - before.CPU, u.RSS - before.RSS} }

// SocketMemory is what the kernel holds in all TCP buffers of the machine.
func SocketMemory() int64 {
	stat, _ := os.ReadFile("/proc/net/sockstat")
	for line := range strings.Lines(string(stat)) {
		fields := strings.Fields(line)
		if len(fields) > 2 && fields[0] == "TCP:" {
			pages, _ := strconv.ParseInt(fields[len(fields)-1], 10, 64)
			return pages * int64(os.Getpagesize())
		}
	}
	return 0
}
