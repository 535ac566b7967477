/** verify.py on every ledger that changed hands, keys and parts. */
import { describeChanged } from './changed-ledgers.ts';

describeChanged(1);
