package main

import (
	"strings"
	"time"
)

// demoWorker is a machine that runs tasks.
type demoWorker struct{ pool, provider, group, id string }

type workerMessage struct {
	WorkerPoolID   string    `json:"workerPoolId"`
	ProviderID     string    `json:"providerId"`
	WorkerGroup    string    `json:"workerGroup"`
	WorkerID       string    `json:"workerId"`
	LaunchConfigID string    `json:"launchConfigId"`
	Capacity       int       `json:"capacity"`
	Timestamp      time.Time `json:"timestamp"`
}

// mostWorkers is how many there are before one stops for each that comes.
const mostWorkers = 4

func (d *deployment) newWorker() *demoWorker {
	group := pick(d, []string{"us-east1-b", "us-west-2", "europe-west4-a", "mdc1"})
	return &demoWorker{pool: "gecko-t/t-linux-large", provider: "gcp-level1", group: group, id: "i-" + strings.ToLower(d.commit()[:16])}
}

// moveWorkers brings a worker, and sends the eldest away where there are many.
func (d *deployment) moveWorkers(now time.Time) []sample {
	w := d.newWorker()
	d.workers = append(d.workers, w)
	samples := []sample{w.announce("requested", now), w.announce("running", now)}
	if len(d.workers) > mostWorkers {
		samples = append(samples, d.workers[0].announce("stopped", now))
		d.workers = d.workers[1:]
	}
	return samples
}

// announce returns the message that a worker is now requested, running, stopped. Its routing key:
//
//	primary.<providerId>.<provisionerId>.<workerType>.<workerGroup>.<workerId>.<launchConfigId>._
func (w *demoWorker) announce(what string, now time.Time) sample {
	m := workerMessage{
		WorkerPoolID: w.pool, ProviderID: w.provider, WorkerGroup: w.group, WorkerID: w.id,
		LaunchConfigID: "lc-linux-2404", Capacity: 1, Timestamp: now,
	}
	provisioner, workerType, _ := strings.Cut(w.pool, "/")
	key := []string{"primary", w.provider, provisioner, workerType, w.group, w.id, m.LaunchConfigID, "_"}
	return newSample(onWorker+"worker-"+what, strings.Join(key, "."), m)
}

type pushMessage struct {
	Organization   string         `json:"organization"`
	Repository     string         `json:"repository"`
	EventID        string         `json:"eventId"`
	InstallationID int            `json:"installationId"`
	Branch         string         `json:"branch"`
	TasksFor       string         `json:"tasks_for"`
	Body           map[string]any `json:"body"`
	Version        int            `json:"version"`
}

// push is a commit that arrived at GitHub. Its routing key:
//
//	primary.<organization>.<repository>
func (d *deployment) push(now time.Time) sample {
	where := pick(d, []struct{ organization, repository, branch string }{
		{"mozilla", "bugbug", "master"}, {"mozilla-mobile", "firefox-ios", "main"}, {"taskcluster", "taskcluster", "main"},
	})
	who, after := pick(d, []string{"ada", "grace", "margaret"}), d.commit()
	m := pushMessage{
		Organization: where.organization, Repository: where.repository, EventID: d.slug(), InstallationID: 5808,
		Branch: where.branch, TasksFor: "github-push", Version: 1,
		Body: map[string]any{
			"ref": "refs/heads/" + where.branch, "before": d.commit(), "after": after, "pusher": map[string]any{"name": who},
			"head_commit": map[string]any{
				"id": after, "timestamp": now, "message": pick(d, []string{"Fix the flaky test", "Bump dependencies", "Say why a stream ended"}),
				"author": map[string]any{"name": who, "email": who + "@example.org"},
			},
		},
	}
	return newSample(onGitHub+"push", "primary."+where.organization+"."+where.repository, m)
}
