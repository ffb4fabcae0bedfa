package config

import (
	"strings"
	"testing"
)

// Each kind takes what people mean and refuses the rest, with what is expected.
func TestWhatEachKindTakes(t *testing.T) {
	for _, row := range []struct{ flag, taken, refused string }{
		{"port", "0 1 65535", "-1 65536 1.5 http 0x10 99999999999999999999"},
		{"streams", "0 5", "-1 many"},
		{"bindings", "1", "0"},
		{"prefetch", "1 65535", "0 65536"},
		{"connects-per-second", "0 0.5 1e2", "-1 NaN Inf fast"},
		{"head-bytes", "1024 1KiB 2MiB", "1023 1kb -1KiB 1.5KiB KiB 9999999999GiB"},
		{"message-bytes", "1 1B 1GiB", "0 B"},
		{"ping-period", "1ms 20s 1m30s", "0s -1s 20 soon"},
		{"drain-spread", "0s 1s", "-1s 1"},
		{"force-ssl", "true FALSE yes no On off 1 0", "maybe 2 t"},
		{"log-format", "text json", "xml JSON"},
		{"root-url", "http://h https://h/p/ h:1 localhost https://h/api https://h/a:b/*c http://[::1]:1/x", "ftp://h http:// https://u:p@h https://h?q https://h#f http://h:x https://h/a//b https://h/a/../b https://h/."},
		{"operator", ":0 127.0.0.1:1 [::1]:2 localhost:3", "1 h: h:x h:65536 ::1:2"},
		{"origins", "* null https://h http://h:1,https://i", "h https://h/ https://h/p https://h?q /x"},
		{"exchanges", "* exchange/a/* a,b,c [ab]", "[ a,["},
		{"host", "h a.b 127.0.0.1 ::1 [::1] fe80::1%eth0", "[h] [::1 http://h h:1 a/b"},
		{"log-level", "debug info warn error", "trace INFO"},
		{"pulse-url", "amqp://h amqps://u:p@h:1/v amqp://h,i:1/v amqp://[::1]:1 amqp://::1 amqp://u:p@q@h/v amqp://h/v?heartbeat=3",
			"h http://h amqp:// amqp:///v amqp://h:x amqp://h:0 amqp://h, amqp://h,/v amqp://a/v,amqp://b/v amqp://[h] amqp://u:p/q@h/v amqp://u:1/q@h/v amqp://u:1?q@h/v amqp://u:1#q@h/v amqp://u:%@h"},
	} {
		for value := range strings.FieldsSeq(row.taken) {
			if _, err := (world{args: []string{"--" + row.flag + "=" + value}}).load(); err != nil {
				t.Errorf("%s is refused: %v", value, err)
			}
		}
		for value := range strings.FieldsSeq(row.refused) {
			if _, err := (world{args: []string{"--" + row.flag + "=" + value}}).load(); err == nil || !strings.HasPrefix(err.Error(), "--"+row.flag+": ") {
				t.Errorf("--%s=%s: got %v", row.flag, value, err)
			}
		}
	}
}
