// Package operator tests the operator's page as operators meet it: in a real
// Chromium, on the operator's listener of the whole proxy, which has a broker
// in this process.
//
// Pictures of the page's main states are left in artifacts/operator, to be
// looked at by a person.
package operator
