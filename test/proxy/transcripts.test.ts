import { specifyTranscripts } from './spoilt-transcripts.ts';

specifyTranscripts({ cutsPerTranscript: 1, spoiltAnswers: 40, timeoutMs: 20_000 });
