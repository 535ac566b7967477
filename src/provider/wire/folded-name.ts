/**
 * Member names as they are read by who heeds no case: Go's encoding/json (https://pkg.go.dev/encoding/json#Unmarshal),
 * Newtonsoft's Json.NET. Pure; imports nothing.
 */

/** Any other name is as it folds. */
const mayFold = /[^a-z0-9_]/;
const shownCharsMax = 80;

/** Upper case first: U+017F and U+212A become S and K that way, as they do in Go's encoding/json. */
export function folded(name: string): string {
  return mayFold.test(name) ? name.toUpperCase().toLowerCase() : name;
}

/** What is said of a member that may be read as another. */
export function respelledAs(name: string, meant: string): string {
  return `the member ${JSON.stringify(name.slice(0, shownCharsMax))} may be read as \`${meant}\``;
}
