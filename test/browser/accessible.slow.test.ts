/** Every page, in every look, walked with the keyboard. */
import { describePages, desktop, names, pocket } from './accessible.ts';

describePages([desktop, pocket, { ...desktop, scheme: 'dark' }, { ...pocket, scheme: 'light' }], names);
