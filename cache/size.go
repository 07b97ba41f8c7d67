package cache

import (
	"math"
	"reflect"
	"runtime/metrics"
	"time"
)

// liveBytes is how much may be held for the process to grow by about budget: before
// garbage is collected, there is up to GOGC percent of it beside what is held. A memory
// limit (GOMEMLIMIT) only has it collected sooner. Where nothing but that limit has it
// collected, with GOGC=off, the budget is for what is held.
func liveBytes(budget int64) int64 { return liveShare(budget, gcPercent()) }

func liveShare(budget, percent int64) int64 {
	return int64(float64(budget) * 100 / float64(100+max(0, percent)))
}

// gcPercent is GOGC as this process has it now; negative when it is off.
func gcPercent() int64 {
	sample := []metrics.Sample{{Name: "/gc/gogc:percent"}}
	metrics.Read(sample)
	if sample[0].Value.Kind() != metrics.KindUint64 {
		return 100 // what Go begins with
	}
	return int64(sample[0].Value.Uint64())
}

// overhead is what an entry costs beside its key and value: the entry, the
// table's node, the policy's queues, and that memory is handed out in fixed sizes.
const overhead = 304

// sizeOf estimates the bytes that value holds on to, whatever its type. What is
// shared within it counts once.
func sizeOf(value any) uint32 {
	t := reflect.TypeOf(value)
	if t == nil {
		return 0
	}
	total := int64(t.Size())
	if of := gaugeFor(t); of != nil {
		total += of(value)
	} else {
		total += sizer{seen: map[uintptr]bool{}}.held(reflect.ValueOf(value))
	}
	return uint32(min(total, math.MaxUint32/2))
}

// localZone is what times of this machine's zone point to: one for all of them.
var localZone = reflect.ValueOf(time.Local).Pointer()

// sizer finds out by reflection.
type sizer struct{ seen map[uintptr]bool }

// held is what v points to, beyond its own words.
func (s sizer) held(v reflect.Value) int64 {
	switch v.Kind() {
	case reflect.String:
		return int64(v.Len())
	case reflect.Pointer:
		return s.pointed(v)
	case reflect.Interface:
		if v.IsNil() {
			return 0
		}
		return int64(v.Elem().Type().Size()) + s.held(v.Elem())
	case reflect.Slice:
		return int64(v.Cap())*int64(v.Type().Elem().Size()) + s.elements(v)
	case reflect.Array:
		return s.elements(v)
	case reflect.Struct:
		total := int64(0)
		for i := range v.NumField() {
			total += s.held(v.Field(i))
		}
		return total
	case reflect.Map:
		return s.entries(v)
	default:
		return 0
	}
}

func (s sizer) pointed(v reflect.Value) int64 {
	if v.IsNil() || s.seen[v.Pointer()] || v.Pointer() == localZone {
		return 0
	}
	s.seen[v.Pointer()] = true
	return int64(v.Type().Elem().Size()) + s.held(v.Elem())
}

func (s sizer) elements(v reflect.Value) int64 {
	switch v.Type().Elem().Kind() {
	case reflect.String, reflect.Pointer, reflect.Interface, reflect.Slice, reflect.Array, reflect.Struct, reflect.Map:
	default:
		return 0 // plain numbers hold on to nothing
	}
	total := int64(0)
	for i := range v.Len() {
		total += s.held(v.Index(i))
	}
	return total
}

func (s sizer) entries(v reflect.Value) int64 {
	const perEntry = 16 // control words and free slots
	each := int64(v.Type().Key().Size()+v.Type().Elem().Size()) + perEntry
	total := int64(v.Len()) * each
	for it := v.MapRange(); it.Next(); {
		total += s.held(it.Key()) + s.held(it.Value())
	}
	return total
}
