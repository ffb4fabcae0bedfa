package rabbit

import (
	"strings"
	"testing"
)

// Whoever lacks the broker is told what to install.
func TestAMissingBrokerNamesItsPackage(t *testing.T) {
	err := installed(t.TempDir())
	if err == nil || !strings.Contains(err.Error(), "the Debian package is rabbitmq-server") {
		t.Errorf("got %v", err)
	}
}
