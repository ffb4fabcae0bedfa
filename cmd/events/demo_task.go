package main

import (
	"cmp"
	"fmt"
	"strings"
	"time"
)

// taskStatus is the part that every task message shares.
type taskStatus struct {
	TaskID        string    `json:"taskId"`
	ProvisionerID string    `json:"provisionerId"`
	WorkerType    string    `json:"workerType"`
	TaskQueueID   string    `json:"taskQueueId"`
	SchedulerID   string    `json:"schedulerId"`
	ProjectID     string    `json:"projectId"`
	TaskGroupID   string    `json:"taskGroupId"`
	Priority      string    `json:"priority"`
	Deadline      time.Time `json:"deadline"`
	Expires       time.Time `json:"expires"`
	RetriesLeft   int       `json:"retriesLeft"`
	State         string    `json:"state"`
	Runs          []taskRun `json:"runs"`
}

type taskRun struct {
	RunID          int        `json:"runId"`
	State          string     `json:"state"`
	ReasonCreated  string     `json:"reasonCreated"`
	ReasonResolved string     `json:"reasonResolved,omitempty"`
	WorkerGroup    string     `json:"workerGroup,omitempty"`
	WorkerID       string     `json:"workerId,omitempty"`
	TakenUntil     *time.Time `json:"takenUntil,omitempty"`
	Scheduled      time.Time  `json:"scheduled"`
	Started        *time.Time `json:"started,omitempty"`
	Resolved       *time.Time `json:"resolved,omitempty"`
}

type taskMessage struct {
	Status      taskStatus `json:"status"`
	RunID       *int       `json:"runId,omitempty"`
	WorkerGroup string     `json:"workerGroup,omitempty"`
	WorkerID    string     `json:"workerId,omitempty"`
	TakenUntil  *time.Time `json:"takenUntil,omitempty"`
	Task        struct {
		Tags map[string]string `json:"tags"`
	} `json:"task"`
	Version int `json:"version"`
}

// demoTask is one task from its creation to its end.
type demoTask struct {
	state  string
	status taskStatus
	run    taskRun
	tags   map[string]string
	routes []string
}

var demoProjects = []struct{ project, provisioner, kind string }{
	{"mozilla-central", "gecko-t", "test"}, {"mozilla-central", "gecko-3", "build"}, {"autoland", "gecko-t", "test"},
	{"taskcluster", "proj-taskcluster", "ci"}, {"fenix", "mobile-t", "ui-test"}, {"bugbug", "proj-bugbug", "train"},
}

func (d *deployment) newTask(now time.Time) *demoTask {
	p := pick(d, demoProjects)
	workerType := pick(d, []string{"t-linux-large", "b-linux-medium", "t-win11-64", "t-osx-1400"})
	platform := pick(d, []string{"linux2404-64", "windows11-64", "macosx1470-64", "android-hw-p6"})
	name := fmt.Sprintf("%s-%s/opt-%d", p.kind, platform, 1+d.random.IntN(16))
	return &demoTask{
		status: taskStatus{
			TaskID: d.slug(), ProvisionerID: p.provisioner, WorkerType: workerType, TaskQueueID: p.provisioner + "/" + workerType,
			SchedulerID: p.project + "-level-3", ProjectID: p.project, TaskGroupID: d.slug(),
			Priority: pick(d, []string{"low", "medium", "high"}), RetriesLeft: 5,
			Deadline: now.Add(24 * time.Hour), Expires: now.Add(28 * 24 * time.Hour),
		},
		run:    taskRun{State: "pending", ReasonCreated: "scheduled", Scheduled: now},
		tags:   map[string]string{"kind": p.kind, "project": p.project, "label": name, "os": strings.SplitN(platform, "-", 2)[0]},
		routes: []string{"index." + p.project + ".v2.latest." + p.kind + "." + platform, "statuses"},
	}
}

func (t *demoTask) start(now time.Time, w *demoWorker) {
	until := now.Add(20 * time.Minute)
	t.run.State, t.run.Started, t.run.TakenUntil = "running", &now, &until
	t.run.WorkerGroup, t.run.WorkerID = w.group, w.id
}

func (t *demoTask) end(now time.Time, state string) {
	reason := map[string]string{"exception": "worker-shutdown"}[state]
	t.state, t.run.State, t.run.ReasonResolved = state, state, cmp.Or(reason, state)
	t.run.Resolved, t.run.TakenUntil = &now, nil
}

// announce returns the message that a task is now defined, pending, running, … Its routing key:
//
//	primary.<taskId>.<runId>.<workerGroup>.<workerId>.<provisionerId>.<workerType>.<schedulerId>.<taskGroupId>._
func (t *demoTask) announce(what string) sample {
	m := taskMessage{Status: t.status, Version: 1, WorkerGroup: t.run.WorkerGroup, WorkerID: t.run.WorkerID, TakenUntil: t.run.TakenUntil}
	m.Task.Tags = t.tags
	m.Status.Runs, m.Status.State, m.RunID = []taskRun{t.run}, t.run.State, new(int)
	run := "0"
	if what == "defined" { // no run yet
		m.Status.Runs, m.Status.State, m.RunID, run = []taskRun{}, "unscheduled", nil, "_"
	}
	key := strings.Join([]string{
		"primary", t.status.TaskID, run, cmp.Or(t.run.WorkerGroup, "_"), cmp.Or(t.run.WorkerID, "_"),
		t.status.ProvisionerID, t.status.WorkerType, t.status.SchedulerID, t.status.TaskGroupID, "_",
	}, ".")
	return newSample(onQueue+"task-"+what, key, m, t.routes...)
}
