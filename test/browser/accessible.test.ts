/** Every page of the console for everybody: axe finds nothing serious, and the keyboard reaches whatever can be done. All looks and pages are in the slow suite. */
import { describePages, desktop, pocket } from './accessible.ts';

describePages([desktop, pocket], ['inbox', 'hold', 'ledger']);
