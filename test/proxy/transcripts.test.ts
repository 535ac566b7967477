import { specifyTranscripts } from './spoilt-transcripts.ts';

specifyTranscripts({ cutsPerTranscript: 2, spoiltAnswers: 80, timeoutMs: 20_000 });
