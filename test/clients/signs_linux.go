package clients

import (
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"net"
	"net/netip"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// unread asks the kernel how many bytes wait in a socket.
func unread(socket net.Conn) (count int, err error) {
	err = control(socket, func(fd int) (err error) {
		count, err = unix.IoctlGetInt(fd, unix.TIOCINQ)
		return err
	})
	return count, err
}

// unacknowledged asks the kernel how many bytes the other end of a socket has sent
// that were not acknowledged. It can be told where that end is on this machine.
//
//	sl  local_address rem_address   st tx_queue:rx_queue …
//	 0: 0100007F:3039 0100007F:C350 01 00000A2B:00000000 …
func unacknowledged(socket net.Conn) (int, error) {
	theirs, ours := procAddress(socket.RemoteAddr()), procAddress(socket.LocalAddr())
	for file, mapped := range map[string]string{
		"/proc/net/tcp": "", "/proc/net/tcp6": "0000000000000000FFFF0000", // of a listener of both families
	} {
		table, err := os.ReadFile(file)
		if err != nil {
			return 0, err
		}
		for line := range strings.Lines(string(table)) {
			if fields := strings.Fields(line); len(fields) > 4 && fields[1] == mapped+theirs && fields[2] == mapped+ours {
				waiting, _, _ := strings.Cut(fields[4], ":")
				count, err := strconv.ParseInt(waiting, 16, 64)
				return int(count), err
			}
		}
	}
	return 0, fmt.Errorf("the other end of %s is not on this machine", socket.LocalAddr())
}

// procAddress writes an address as the kernel does: bytes reversed, in hex.
func procAddress(a net.Addr) string {
	address, err := netip.ParseAddrPort(a.String())
	if err != nil {
		return ""
	}
	ip := address.Addr().Unmap().As4()
	reversed := binary.LittleEndian.AppendUint32(nil, binary.BigEndian.Uint32(ip[:]))
	return strings.ToUpper(hex.EncodeToString(reversed)) + fmt.Sprintf(":%04X", address.Port())
}
