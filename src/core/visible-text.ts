/** What a person can see of a text. */

/** False for a text of spaces, controls and characters that nobody sees: given as a reason, it is none. */
export function saysSomething(text: string): boolean {
  return /[^\p{Default_Ignorable_Code_Point}\p{C}\p{Z}]/u.test(text);
}
