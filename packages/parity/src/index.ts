export { type Case, Corpus, type GroupName, groupNames, publicCorpus } from './corpus/corpus.js';
export type { Counts, Direction, Failure, Report } from './report/counts.js';
export { formatMarkdown, formatTable } from './report/table.js';
export { type ParityOptions, runParity } from './runner.js';
