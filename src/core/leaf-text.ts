/** Of a text that a call brings into a leaf, in UTF-16 units: a longer one is cut there. */
export const leafTextMax = 256;
