import { specifyErasing } from './erasure-acts.ts';

specifyErasing(200, 1_800_000);
