package commerce

// Invalidations is the order in which this process learned that tags were invalidated,
// by itself or by others. Whoever keeps something that answers are made of notes Now
// before loading it, and does not use it once Struck says that one of its tags came
// later: then nothing that is loaded after an invalidation is made of what was loaded
// before it. Both are safe for concurrent use and cheap while nothing is invalidated.
type Invalidations interface {
	// Now is the present place in that order. It rises with each invalidation.
	Now() uint64
	// Struck tells whether one of tags was invalidated after the place since. In doubt it is true.
	Struck(since uint64, tags ...Tag) bool
}
