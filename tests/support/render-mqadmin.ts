/**
 * Writes docs/mqadmin.md: every command of mqadmin and how it compares, from the cases that are run against Java.
 *
 *   node dist/tests/support/render-mqadmin.js > docs/mqadmin.md
 */
import type { MqadminCommand, MqadminSection } from '../conformance/mqadmin-case.js';
import { mqadminSections } from '../conformance/mqadmin-cases.js';
import { runAsProgram } from './rig-arguments.js';

const head = `# mqadmin

The commands of RocketMQ's \`mqadmin\`, and of the dashboards that ask the same, against a RingMQ broker and name server. \`ringmq\` has the same verbs without
Java: [cli.md](cli.md).

<!-- Written by tests/support/render-mqadmin.ts from tests/conformance/mqadmin-cases.ts. To renew it after a build:
     node dist/tests/support/render-mqadmin.js > docs/mqadmin.md -->

The tables are made from the cases that a test runs, in \`.ci/run\` too: \`mqadmin\` 4.9.7 is called against a RingMQ cluster and against one of Java 4.9.7 with the same
topics, messages, groups and clients in it, and what it prints is compared line by line, with the exit code. *Equal* means equal in every line, apart from times,
addresses and ids, and from what the column names. A difference that is not in a table fails the test, and so does one that is not there any more.
`;

const tail = `Statistics count from the start of the broker and move every 10 seconds (minute), 10 minutes (hour) and hour (day), as Java's do. A message counts for
its topic when its queue has it. With \`autoDeleteUnusedStats\` they go with their topic or group. There are \`TOPIC_PUT_NUMS\`, \`TOPIC_PUT_SIZE\`, \`GROUP_GET_NUMS\`, \`GROUP_GET_SIZE\`,
\`SNDBCK_PUT_NUMS\`, \`BROKER_PUT_NUMS\` and \`BROKER_GET_NUMS\`; not \`QUEUE_*\`, \`GROUP_GET_LATENCY\`, \`GROUP_GET_FROM_DISK_*\` and \`COMMERCIAL_*\`, for which \`mqadmin\` never asks.

Not answered (code 3): access control, and what only brokers of RocketMQ 5 know, as pop consumers, timers and controllers. Of what a
dashboard 5.3 asks besides, codes 343, 345, 351 and 352 are answered.
`;

const unique = (texts: readonly string[]): string[] => [...new Set(texts)];
const differencesOf = ({ runs }: MqadminCommand): string[] =>
  unique(runs.flatMap(({ differences = [] }) => differences.map(({ reason }) => reason)));
const masksOf = ({ runs }: MqadminCommand): string[] =>
  unique(runs.flatMap(({ masks = [] }) => masks.map(({ what }) => what)));

function comparison(command: MqadminCommand): string {
  const differences = differencesOf(command);
  const [what, masked] = [differences.join('; '), masksOf(command).join(', ')];
  if (!command.works) return what;
  const apart = masked === '' ? '' : `, apart from ${masked}`;
  return differences.length === 0 ? `equal${apart}` : `equal${apart}; but: ${what}`;
}

/** A bar would end the cell. */
const cell = (text: string): string => text.replaceAll('|', '\\|');

function row(command: MqadminCommand): string {
  const { command: name, works, runs, remark = '' } = command;
  return `| \`${name}\` | ${works ? 'yes' : 'no'} | ${runs.length} | ${cell(comparison(command))} | ${cell(remark)} |`;
}

/** One table. */
export function renderSection({ title, commands }: MqadminSection): string {
  return [
    `## ${title}`,
    '',
    '| | Works | Calls compared | With Java | Remarks |',
    '|---|---|---|---|---|',
    ...commands.map(row),
    '',
  ].join('\n');
}

function totals(): string {
  const commands = mqadminSections.flatMap(section => section.commands);
  const runs = commands.flatMap(command => command.runs);
  const differing = runs.filter(({ differences = [] }) => differences.length > 0).length;
  const [works, without] = [
    commands.filter(command => command.works).length,
    commands.filter(command => differencesOf(command).length === 0).length,
  ];
  return (
    `${commands.length} commands in ${runs.length} calls: ${works} commands work, ${without} of them without any difference; ` +
    `${runs.length - differing} calls are equal, ${differing} have differences that are wanted.\n`
  );
}

/** The whole document. */
export function renderMqadmin(): string {
  return [head, totals(), ...mqadminSections.map(renderSection), tail].join('\n');
}

runAsProgram(import.meta.filename, async () => {
  process.stdout.write(renderMqadmin());
});
