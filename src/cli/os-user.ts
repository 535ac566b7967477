/** Who runs a command, as the operating system names them. */
import { userInfo } from 'node:os';

/** The user's name; `uid:1000` where the system has none for them, as in many containers. */
export function osUser(): string {
  try {
    return userInfo().username;
  } catch {
    // There is no entry for the user; the number is what the system knows them by.
    return `uid:${process.getuid?.() ?? -1}`;
  }
}
