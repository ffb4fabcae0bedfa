// Package inspector tests the inspector page as its users meet it: in a real
// Chromium, served by the whole proxy, fed by a broker in this process.
//
// Pictures of the page's main states are left in artifacts/inspector, to be
// looked at by a person.
package inspector
