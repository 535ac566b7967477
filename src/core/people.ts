/**
 * People who come by several ways, and so have several names: a token, an OpenID provider, a certificate. Each name is
 * sealed as it was shown; whoever counts people counts them once. Pure.
 */

/** The other names of whoever has one; none for most. */
export type OtherNames = (name: string) => readonly string[];

/** Where nobody has another name. */
export const noOtherNames: OtherNames = () => [];

/** @param people the names of each person; a name is one person's */
export function createPeople(people: readonly (readonly string[])[]): OtherNames {
  const others = new Map<string, readonly string[]>();
  for (const names of people)
    for (const name of names)
      others.set(
        name,
        names.filter((other) => other !== name),
      );
  return (name) => others.get(name) ?? [];
}
