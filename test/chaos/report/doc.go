// Package report turns a history and the judgement on it into what people and
// build servers read: [Write] puts result.json, junit.xml and index.html into a
// directory. The page is one file that needs no network and no script: what was
// done, what was found, and how to repeat it.
package report
