package rabbit

import (
	"strings"
	"testing"
)

// Where the broker is missing, the error names what to install.
func TestAMissingBrokerNamesItsPackage(t *testing.T) {
	err := installed(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "the Debian package is rabbitmq-server") {
		t.Errorf("got %v", err)
	}
}
