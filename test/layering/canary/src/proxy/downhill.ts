/** What the planted violation imports. */
export const downhill = 'downhill';
