/** What a draft that was sent is called in messages about it, which say `<name>:<line>:<column>`. */
export const draftName = 'the draft';
