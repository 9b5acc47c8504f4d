/**
 * `ringmq trace`.
 */
import { Command, Option } from 'commander';
import type { ExportFlags, MessageFlags, TraceFlags } from '../commands/trace.js';
import { wholeNumber, withExample } from '../options.js';
import type { Shell } from '../shell.js';
import { brokerOption, type End, reaching } from './common.js';

export function trace(shell: Shell, end: End): Command {
  const group = new Command('trace').description('what the actors of a broker do with requests');
  const use = () => import('../commands/trace.js');
  const begin = new Command('start')
    .description('trace requests from now on, on a broker and, unless an address names it, its slaves')
    .addOption(brokerOption())
    .addOption(new Option('--every <count>', 'one in so many requests').default(1).argParser(wholeNumber(1)))
    .action(async (flags: TraceFlags & { every: number }) =>
      end(await (await use()).setTrace(shell, flags.every, flags)),
    );
  const stop = new Command('stop')
    .description('trace no more, on the same brokers; what was recorded stays')
    .addOption(brokerOption())
    .action(async (flags: TraceFlags) => end(await (await use()).setTrace(shell, 0, flags)));
  const write = new Command('export')
    .description('write what was recorded to a file for Perfetto or Chrome')
    .addOption(brokerOption())
    .addOption(new Option('--seconds <count>', 'of the last so many seconds').default(60).argParser(wholeNumber(1)))
    .option('-o, --output <file>', 'the file', 'ringmq-trace.json')
    .action(async (flags: ExportFlags) => end(await (await use()).exportTrace(shell, flags)));
  const message = new Command('message')
    .description('the way of one message through the actors, those of slaves too')
    .argument('<id|key>', 'its offset message id; or, with --topic, its unique id or a key')
    .addOption(brokerOption())
    .option('-t, --topic <topic>', 'where to look for a unique id or a key')
    .action(async (id: string, flags: MessageFlags) => end(await (await use()).traceMessage(shell, id, flags)));
  group.addCommand(withExample(reaching(begin), 'ringmq trace start --every 100'));
  group.addCommand(withExample(reaching(stop), 'ringmq trace stop'));
  group.addCommand(withExample(reaching(write), 'ringmq trace export --seconds 5 --output trace.json'));
  group.addCommand(withExample(reaching(message), 'ringmq trace message order-17 --topic Orders'));
  return group;
}
