package amqp

import (
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"
)

// A broker's URL is AMQP's, with a list of hosts where AMQP has one.
func TestABrokersURLMayListItsNodes(t *testing.T) {
	at := func(hosts ...host) brokerURL {
		return brokerURL{user: "ada", password: "secret", vhost: "/", hosts: hosts}
	}
	with := func(u brokerURL, change func(*brokerURL)) brokerURL {
		change(&u)
		return u
	}
	secure := func(u *brokerURL) { u.secure = true }
	a, b := host{"a", "5672"}, host{"b", "5671"}
	for text, want := range map[string]brokerURL{
		"amqp://ada:secret@a":                                   at(a),
		"amqp://ada:secret@a:5672/":                             at(a),
		"amqp://ada:secret@a/%2F":                               at(a),
		"amqp://ada:secret@a,b:5671":                            at(a, b),
		"amqp://ada:secret@a,a:5672,b:5671,a":                   at(a, b),
		"amqps://ada:secret@b":                                  with(at(b), secure),
		"amqps://ada:secret@b,a:5672/":                          with(at(b, a), secure),
		"amqp://ada:secret@[::1]":                               at(host{"::1", "5672"}),
		"amqp://ada:secret@[::1]:5,[fe80::1%lo],[fe80::2%25lo]": at(host{"::1", "5"}, host{"fe80::1%lo", "5672"}, host{"fe80::2%lo", "5672"}),
		"amqp://ada:secret@::1,10.0.0.1:7":                      at(host{"::1", "5672"}, host{"10.0.0.1", "7"}),
		"amqp://ada:secret@a/v":                                 with(at(a), func(u *brokerURL) { u.vhost = "v" }),
		"amqp://ada:secret@a/v%40%2f/w?heartbeat=7&channel_max=8&connection_timeout=1500": with(at(a), func(u *brokerURL) {
			u.vhost, u.heartbeat, u.channelMax, u.dialTimeout = "v@//w", 7*time.Second, 8, 1500*time.Millisecond
		}),
		"amqp://a@b:s%2Fe%3Ac%25:r%40et@a": with(at(a), func(u *brokerURL) { u.user, u.password = "a@b", "s/e:c%:r@et" }),
		"amqp://a":                         with(at(a), func(u *brokerURL) { u.user, u.password = "guest", "guest" }),
		"amqp://":                          with(at(host{"localhost", "5672"}), func(u *brokerURL) { u.user, u.password = "guest", "guest" }),
		"amqp://ada@a":                     with(at(a), func(u *brokerURL) { u.password = "guest" }),
		"amqp://ada:@a?auth_mechanism=EXTERNAL,plain&auth_mechanism=": with(at(a), func(u *brokerURL) { u.password, u.mechanisms = "", []string{"external", "plain", ""} }),
		"amqps://ada:secret@b?cacertfile=/c&certfile=/d&keyfile=/e&server_name_indication=f": with(at(b), func(u *brokerURL) {
			u.secure, u.certificates = true, certificates{ca: "/c", own: "/d", key: "/e", serverName: "f"}
		}),
	} {
		got, err := parseBrokerURL(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s:\n got %+v, %v\nwant %+v", text, got, err, want)
		}
	}
}

// A URL that is wrong says what to change, and repeats nothing of a password, wherever it stands.
func TestAWrongURLIsNamedWithoutItsSecrets(t *testing.T) {
	for text, want := range map[string]string{
		"":                     "does not start with amqp:// or amqps://",
		"hunter2":              "does not start with",
		"ada:hunter2@a":        "does not start with",
		"http://ada:hunter2@a": "does not start with",
		"amqp:ada:hunter2@a":   "does not start with",
		"amqps://ada:hunter2@a,amqps://ada:hunter2@b":    "a list of URLs",
		"amqps://ada:hunter2@a amqps://b":                "a space or a control character",
		"amqps://ada:hunter2@a\n":                        "a space or a control character",
		"amqps://ada:hunter2\x00@a":                      "a space or a control character",
		"amqp://ada:hunter2/x@a":                         "a /, ? or # before its last @",
		"amqp://ada:/hunter2@a/v":                        "a /, ? or # before its last @",
		"amqp://ada:hunter2?x@a":                         "a /, ? or # before its last @",
		"amqp://ada:hunter2#x@a":                         "a /, ? or # before its last @",
		"amqp://ada:x@hunter2/y@a":                       "a /, ? or # before its last @",
		"amqp://ada:x@y?hunter2@a":                       "a /, ? or # before its last @",
		"amqp://ada:x@y/z?hunter2@a":                     "a /, ? or # before its last @",
		"amqp://ada:hunter2":                             "is wrong at host number 1: the port is no number from 1 to 65535",
		"amqp://ada:hunter2/":                            "the port is no number",
		"amqp://ada:hunter2?x":                           "the port is no number",
		"amqp://ada?hunter2=x":                           "a query parameter that is not known",
		"amqp://ada:hunter2@a#f":                         "holds a #",
		"amqp://ada:hunter2@a/v#f":                       "holds a #",
		"amqp://ada:hunter2%@a":                          "not percent-encoded: % is written %25",
		"amqp://ada:hunter2@a,":                          "host number 2: the name is empty",
		"amqp://ada:hunter2@,a":                          "host number 1: the name is empty",
		"amqp://ada:hunter2@:5":                          "the name is empty",
		"amqp://ada:hunter2@a:":                          "the port is no number",
		"amqp://ada:hunter2@a:0":                         "the port is no number",
		"amqp://ada:hunter2@a:65536":                     "the port is no number",
		"amqp://ada:hunter2@a:5;b:6":                     "the port is no number",
		"amqp://ada:hunter2@a;b":                         "a character that no host name has",
		"amqp://ada:hunter2@[::1":                        "the port is no number",
		"amqp://ada:hunter2@[a]":                         "no IPv6 address in the brackets",
		"amqp://ada:hunter2@[10.0.0.1]:5":                "no IPv6 address in the brackets",
		"amqp://ada:hunter2@[::1]5":                      "text behind the brackets",
		"amqp://ada:hunter2@a/v%":                        "a virtual host that is not percent-encoded",
		"amqp://ada:hunter2@a?x=%":                       "a query that is not percent-encoded",
		"amqp://ada:hunter2@a?verify=no":                 `a query parameter "verify" that is not known`,
		"amqp://ada:hunter2@a?heartbeat=0":               "a query parameter heartbeat that is no number from 1 to 65535",
		"amqp://ada:hunter2@a?channel_max=x":             "a query parameter channel_max that is no number",
		"amqp://ada:hunter2@a?connection_timeout=1s":     "a query parameter connection_timeout that is no number",
		"amqp://ada:hunter2@a?heartbeat=5&heartbeat=6":   "the query parameter heartbeat 2 times",
		"amqp://ada:hunter2@a?cacertfile=/c":             "cacertfile that needs amqps://",
		"amqps://ada:hunter2@a?auth_mechanism=magic":     "auth_mechanism that is not one of plain, external",
		"amqps://ada:hunter2@a?cacertfile=/no/such/file": "no such file",
	} {
		_, err := NewRabbitMQ(text, RabbitMQOptions{})
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %q", text, err, want)
			continue
		}
		if strings.Contains(err.Error(), "hunter2") || strings.ContainsAny(err.Error(), "\n\x00") {
			t.Errorf("%q: %v", text, err)
		}
	}
}

// However a password is mistyped into a URL, no error holds it; escaped as it should be, it
// arrives.
func FuzzNoURLErrorHoldsThePassword(f *testing.F) {
	for _, password := range []string{"hunter2", "a/b@c#d?e", "%41%", "x://y,z", "[::1]:5", "100%"} {
		f.Add(password, "b:5671,c")
	}
	f.Fuzz(func(t *testing.T, password, behind string) {
		for _, shape := range []string{"amqps://ada:%s@a,%s", "amqp://ada:%s", "amqp://a,%[2]s/?x=%[1]s", "amqp://%s:x@%s", "%s%s"} {
			_, err := parseBrokerURL(fmt.Sprintf(shape, "<"+password+">", behind))
			if err != nil && strings.Contains(err.Error(), "<"+password+">") {
				t.Errorf("%q: %v", shape, err)
			}
		}
		u, err := parseBrokerURL("amqp://ada:" + url.QueryEscape(strings.ReplaceAll(password, " ", "")) + "@a")
		if err != nil || u.password != strings.ReplaceAll(password, " ", "") {
			t.Errorf("%q: got %q, %v", password, u.password, err)
		}
	})
}
