package sandbox

// Fault is a rule about how calls to a system go wrong. JSON is the control API's.
type Fault struct {
	System    string  `json:"system"`              // "pimcore", "elasticsearch", "odoo", "openloyalty", "magento", or "*"
	Operation string  `json:"operation"`           // as counted in /_sandbox/calls, or "*"
	LatencyMs int     `json:"latencyMs,omitempty"` // added before anything else; 0 to 600000
	Jitter    string  `json:"jitter,omitempty"`    // "none" (default): exactly LatencyMs; "pareto": heavy-tailed around it
	ErrorRate float64 `json:"errorRate,omitempty"` // share of calls that fail, 0 to 1; 0 makes the rule latency alone
	Status    int     `json:"status,omitempty"`    // of mode "status", 400 to 599; default 503
	Mode      string  `json:"mode,omitempty"`      // "status" (default), "hang", "reset", "truncate", "garbage", "drip"
}
