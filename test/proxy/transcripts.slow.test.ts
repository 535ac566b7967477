import { specifyTranscripts } from './spoilt-transcripts.ts';

specifyTranscripts({ cutsPerTranscript: 100, spoiltAnswers: 4_000, timeoutMs: 900_000 });
