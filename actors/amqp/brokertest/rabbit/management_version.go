package rabbit

import "context"

// Version returns the broker's release.
func (m *Management) Version(ctx context.Context) (string, error) {
	var overview struct {
		Version string `json:"rabbitmq_version"`
	}
	err := m.ask(ctx, "GET", "overview?columns=rabbitmq_version", nil, &overview)
	return overview.Version, err
}
