/** Each hostile text alone in every field, where none can hide behind another. */
import { attacks, describeHostileText } from './hostile-text.ts';

describeHostileText(Object.entries(attacks));
