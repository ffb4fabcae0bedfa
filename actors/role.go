package actors

// Role is what an actor is for.
type Role string

// The roles. RoleWorker is no actor: it is the goroutine that a consumer owns.
const (
	RoleEvents      Role = "events" // the root of the tree
	RoleBroker      Role = "broker"
	RoleConnections Role = "connections"
	RoleConnection  Role = "connection"
	RoleFeeds       Role = "feeds"
	RoleFeed        Role = "feed"
	RoleConsumer    Role = "consumer"
	RoleWorker      Role = "worker"
)

// roles are all of them.
var roles = []Role{RoleEvents, RoleBroker, RoleConnections, RoleConnection, RoleFeeds, RoleFeed, RoleConsumer, RoleWorker}
