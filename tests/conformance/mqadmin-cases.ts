/**
 * Every command of mqadmin 4.9.7, how it is tried, and how its output may differ from what a Java broker has it print.
 * `mqadmin.test.ts` runs them in this order against both, and docs/mqadmin.md is made from them.
 */
import type { MqadminSection } from './mqadmin-case.js';
import { cluster } from './mqadmin-cases-cluster.js';
import { groups, offsets, topics } from './mqadmin-cases-groups.js';
import { access, cleaning, messages, monitoring, statistics } from './mqadmin-cases-messages.js';

/**
 * In the order in which they are run: what looks at all comes before what changes something; statistics late, and last
 * the monitor, whose clients all the others would see.
 */
export const mqadminSections: readonly MqadminSection[] = [
  cluster,
  topics,
  groups,
  offsets,
  messages,
  cleaning,
  access,
  statistics,
  monitoring,
];
