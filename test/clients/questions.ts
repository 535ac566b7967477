/** What the workloads ask and what the providers of the matrix say to it. */

/** Questions, by what is to come back; each number makes another question. */
export const questions = {
  text: (n: number) => `Tell me about photosynthesis, part ${n}.`,
  transfer: (...amounts: number[]) => `Please ${amounts.map((n) => `transfer ${n} EUR`).join(' and ')}.`,
  textThenTransfer: (amount: number) => `Say a word, then transfer ${amount} EUR.`,
  refusal: (status: number, n: number) => `Refuse this with ${status}, case ${n}.`,
  silence: (n: number) => `Fall silent about photosynthesis, part ${n}.`,
  breakOff: (n: number) => `Break off about photosynthesis, part ${n}.`,
  failure: (n: number) => `Fail about photosynthesis, part ${n}.`,
};

export const spoken = `Plants turn light into sugar — ☀️ → 🌱. ${'They do so every day. '.repeat(6)}`.trim();

/** The arguments with which the provider calls transfer_funds: what breaks encoders and parsers. */
export const argumentsOf = (amount: number) => ({
  amount,
  currency: 'EUR',
  note: 'for “fruit”\n\\ tab\t🌱',
});
