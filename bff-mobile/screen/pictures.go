package screen

// Pictures is how wide pictures have to be at least, in physical pixels, by what they are for.
type Pictures struct {
	Tile int // beside others: a card, a line, a category
	Hero int // alone, over the whole width of the screen
}

// Widths of pictures in points (density-independent pixels): two tiles stand side by side
// on the narrowest phones.
const (
	tilePoints = 160
	heroPoints = 320
)

// densities are how many half pixels a point has on each side, by the number that an app
// says. iOS draws at one, two or three pixels a point and nothing between.
var densities = map[string]map[string]int{
	"":        {"": 6, "1": 2, "1.5": 3, "2": 4, "3": 6, "4": 8},
	"android": {"": 6, "1": 2, "1.5": 3, "2": 4, "3": 6, "4": 8},
	"ios":     {"": 6, "1": 2, "1.5": 4, "2": 4, "3": 6, "4": 6},
}

// PicturesFor is what suits a device: its platform, ios or android, and its pixels a point,
// 1, 1.5, 2, 3 or 4. Who says neither gets what suits most phones, three pixels a point. It
// is not ok for anything else.
func PicturesFor(platform, density string) (p Pictures, ok bool) {
	halves, ok := densities[platform][density]
	return Pictures{Tile: tilePoints * halves / 2, Hero: heroPoints * halves / 2}, ok
}
