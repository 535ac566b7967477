/** Every hostile text at once in every field, on every page; each alone is in the slow suite. */
import { attacks, describeHostileText } from './hostile-text.ts';

describeHostileText([['everything', Object.values(attacks).join(' ')]]);
