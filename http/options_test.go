package httpapi

import (
	"slices"
	"strings"
	"testing"
	"time"
)

func TestTheZeroOptionsWork(t *testing.T) {
	if err := (Options{}).Validate(); err != nil {
		t.Error(err)
	}
}

func TestEveryProblemOfTheOptionsIsNamedAtOnce(t *testing.T) {
	err := Options{
		RootURL: "tc.example.com", RootPath: "tc", AllowOrigins: []string{"https://a.example.com/path", "b.example.com"},
		HeadBytes: 10, WriteBuffer: -1, WriteDeadline: -time.Second,
	}.Validate()
	if err == nil {
		t.Fatal("no problem was found")
	}
	for _, want := range []string{
		`RootURL: "tc.example.com"`, `RootPath: "tc"`, `AllowOrigins: "https://a.example.com/path"`, `AllowOrigins: "b.example.com"`,
		"HeadBytes: 10", "WriteBuffer is negative", "duration is negative",
	} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("%q is not named in:\n%v", want, err)
		}
	}
}

func TestBadRootURLsAndPathsAreFound(t *testing.T) {
	for _, o := range []Options{
		{RootURL: "ftp://example.com"}, {RootURL: "https://"}, {RootURL: "https://example.com/?a=b"}, {RootURL: "https://u:p@example.com"},
		{RootURL: "https://example.com/#x"}, {RootURL: "http://%zz"}, {RootPath: "/a/../b"}, {RootPath: "/a//b"}, {RootPath: "//"},
	} {
		if o.Validate() == nil {
			t.Errorf("%q %q passes", o.RootURL, o.RootPath)
		}
	}
	for _, o := range []Options{
		{RootURL: "http://localhost:12345"}, {RootURL: "https://example.com/tc/"}, {RootPath: "/a/b"}, {RootPath: "/a/"},
		{AllowOrigins: []string{"*", "null", "https://Example.com:8443"}},
	} {
		if err := o.Validate(); err != nil {
			t.Error(err)
		}
	}
}

func TestNewPanicsWithTheProblemsOfItsOptions(t *testing.T) {
	defer func() {
		if err, ok := recover().(error); !ok || !strings.Contains(err.Error(), "RootPath") {
			t.Errorf("panicked with %v", err)
		}
	}()
	New(nil, Options{RootPath: "x"})
}

func TestEachPrefixIsThereOnce(t *testing.T) {
	for _, c := range []struct {
		o    Options
		want []string
	}{
		{Options{}, nil},
		{Options{RootURL: "https://example.com"}, nil},
		{Options{RootURL: "https://example.com/"}, nil},
		{Options{RootURL: "https://example.com/tc/"}, []string{"/tc"}},
		{Options{RootURL: "https://example.com/tc", RootPath: "/tc"}, []string{"/tc"}},
		{Options{RootURL: "https://example.com/tc", RootPath: "/a/b/"}, []string{"/a/b", "/tc"}},
	} {
		if got := c.o.roots(); !slices.Equal(got, c.want) {
			t.Errorf("%+v: %q", c.o, got)
		}
	}
}
