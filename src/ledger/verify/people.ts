/** Which names are the same person's, as the last `start` says it. Pure; portable; imports only its own folder. */
import type { Json } from './canonical.ts';
import { isList, isTexts } from './fields.ts';

/** By each name of somebody who has several: all of them, itself included. */
export type People = ReadonlyMap<string, readonly string[]>;

export const nobodyTwice: People = new Map();

/** Undefined where it is no list of people, each a list of names, or a name is two people's. */
export function readPeople(value: Json): People | undefined {
  if (!isList(value)) return undefined;
  const people = new Map<string, readonly string[]>();
  for (const names of value) {
    if (!isTexts(names)) return undefined;
    for (const name of names) {
      if (name === '' || people.has(name)) return undefined;
      people.set(name, names);
    }
  }
  return people;
}

/** Every name of whoever has this one. */
export function namesOf(people: People, name: string): readonly string[] {
  return people.get(name) ?? [name];
}

/** In plain words; none where nobody has two names. */
export function aboutPeople(people: People): readonly string[] {
  if (people.size === 0) return [];
  const persons = new Set(people.values()).size;
  return [
    `The last start says that ${people.size} names are those of ${persons} people, who count once each; that nobody else has two is not said.`,
  ];
}
