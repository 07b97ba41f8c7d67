package edge

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"math"
	"net/http"

	"github.com/portico-bff/portico/connectors/transport"
)

// live answers how every system stands now: {"systems":[…]} of
// [transport.SystemState], by role, one line for each operation.
func (b *Backend) live(w http.ResponseWriter, r *http.Request) {
	body, err := layOut(b.Registry.Systems())
	if err != nil {
		b.Log.LogAttrs(r.Context(), slog.LevelError, "live state cannot be written", slog.Any("error", err))
		say(w, http.StatusInternalServerError, "internal error\n")
		return
	}
	answer(w, http.StatusOK, "application/json; charset=utf-8", body)
}

// layOut writes the systems for people who look at them with curl: an operation
// on a line reads like a table, one number on a line does not.
func layOut(systems []transport.SystemState) ([]byte, error) {
	var out bytes.Buffer
	out.WriteString(`{"systems": [`)
	for i, s := range systems {
		head, operations := rounded(s), s.Operations
		head.Operations = []transport.OperationState{}
		line, err := json.Marshal(head)
		if err != nil {
			return nil, err
		}
		separate(&out, i, "\n  ")
		out.Write(bytes.TrimSuffix(line, []byte("]}"))) // the operations are last
		for j, op := range operations {
			line, err := json.Marshal(roundedOperation(op))
			if err != nil {
				return nil, err
			}
			separate(&out, j, "\n    ")
			out.Write(line)
		}
		out.WriteString("]}")
	}
	out.WriteString("\n]}\n")
	return out.Bytes(), nil
}

// separate begins the next line of a list.
func separate(out *bytes.Buffer, index int, line string) {
	if index > 0 {
		out.WriteByte(',')
	}
	out.WriteString(line)
}

func rounded(s transport.SystemState) transport.SystemState {
	s.BudgetTokens, s.HedgeTokens = toHundredth(s.BudgetTokens), toHundredth(s.HedgeTokens)
	s.CallsPerRequest = toHundredth(s.CallsPerRequest)
	return s
}

// roundedOperation has no more digits than its numbers are good for: a quantile
// is within ten percent.
func roundedOperation(o transport.OperationState) transport.OperationState {
	o.P50Ms, o.P95Ms, o.P99Ms = toHundredth(o.P50Ms), toHundredth(o.P95Ms), toHundredth(o.P99Ms)
	o.ErrorRate = math.Round(o.ErrorRate*1000) / 1000
	return o
}

func toHundredth(n float64) float64 { return math.Round(n*100) / 100 }
