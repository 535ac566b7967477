/** verify.py on ledgers that changed hands, keys and parts: every fourth of them; all are in the slow suite. */
import { describeChanged } from './changed-ledgers.ts';

describeChanged(4);
