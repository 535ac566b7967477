import { specifyErasing } from './erasure-acts.ts';

specifyErasing(10, 120_000);
