package world

// The data's people were left out; these are theirs and the reviewers' names. ASCII only, because
// e-mail addresses are made of them.
var firstNames = []string{
	"Ada", "Adil", "Aiko", "Alba", "Alice", "Amara", "Amir", "Ana", "Andre", "Anika", "Anton", "Arjun",
	"Aya", "Bela", "Bruno", "Carla", "Carlos", "Chen", "Chloe", "Clara", "Dana", "Daniel", "Diego", "Dina",
	"Elena", "Eli", "Ella", "Emil", "Emma", "Erik", "Eva", "Farah", "Felix", "Fiona", "Gita", "Hana",
	"Hugo", "Ida", "Ines", "Iris", "Isaac", "Ivan", "Jack", "Jana", "Javier", "Jonas", "Julia", "Kai",
	"Karim", "Kira", "Lars", "Laura", "Leo", "Lina", "Lucas", "Luis", "Maja", "Marco", "Maria", "Mei",
	"Mina", "Nadia", "Nils", "Noah", "Nora", "Olga", "Omar", "Oscar", "Paula", "Pedro", "Petra", "Priya",
	"Rafael", "Rania", "Rosa", "Ruth", "Samir", "Sara", "Selma", "Sofia", "Sven", "Tariq", "Tea", "Theo",
	"Tomas", "Vera", "Victor", "Wanda", "Wei", "Yara", "Yusuf", "Zoe",
}

var lastNames = []string{
	"Abe", "Adams", "Ahmed", "Alvarez", "Andersen", "Baker", "Barros", "Bauer", "Berg", "Bianchi", "Blake",
	"Bloom", "Brandt", "Brown", "Castro", "Chan", "Clark", "Costa", "Cruz", "Dahl", "Davis", "Diaz", "Dubois",
	"Edwards", "Farkas", "Ferrari", "Fischer", "Fontaine", "Fox", "Garcia", "Gomez", "Gray", "Green", "Haas",
	"Haddad", "Hall", "Hansen", "Harris", "Hill", "Hoffmann", "Horvat", "Ibrahim", "Ito", "Jansen", "Jones",
	"Kaur", "Kelly", "Khan", "Kim", "King", "Klein", "Koch", "Kovacs", "Kumar", "Larsen", "Lee", "Lewis",
	"Lopez", "Lund", "Marino", "Martin", "Meyer", "Miller", "Moore", "Moreau", "Mori", "Nagy", "Nguyen",
	"Nielsen", "Novak", "Okafor", "Olsen", "Ortiz", "Park", "Patel", "Perez", "Petit", "Popov", "Reed",
	"Reyes", "Ricci", "Rossi", "Roy", "Russo", "Sato", "Schmidt", "Silva", "Singh", "Smith", "Sousa",
	"Suzuki", "Tanaka", "Torres", "Turner", "Vega", "Vogel", "Wagner", "Walker", "Weber", "White", "Wong",
	"Wood", "Wright", "Yilmaz", "Young", "Zhang",
}
