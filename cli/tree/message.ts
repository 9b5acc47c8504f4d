/**
 * `ringmq send`, `ringmq pull` and `ringmq message`.
 */
import { Command, InvalidArgumentError, Option } from 'commander';
import type { FindFlags, ListFlags, ShowFlags } from '../commands/message.js';
import type { PullFlags } from '../commands/pull.js';
import type { SendFlags } from '../commands/send.js';
import { withExample } from '../options.js';
import type { Place } from '../read-messages.js';
import type { Shell } from '../shell.js';
import { readTime, TIME_FORMS, timeArgument } from '../time.js';
import { type End, maxOption, reaching } from './common.js';

export function send(shell: Shell, end: End): Command {
  const command = new Command('send')
    .description('send a message')
    .argument('<topic>')
    .argument('[text]', 'the body; standard input without it')
    .option('-t, --tags <tag>', 'a tag, for consumers to choose by')
    .option('-k, --keys <keys>', 'keys, separated by blanks')
    .action(async (name: string, text: string | undefined, flags: SendFlags) => {
      const { send: run } = await import('../commands/send.js');
      end(await run(shell, name, text, flags));
    });
  return withExample(reaching(command), 'ringmq send Hello "Hello, RingMQ" --tags greeting');
}

export function pull(shell: Shell, end: End): Command {
  const command = new Command('pull')
    .description('read messages of a topic; they stay there')
    .argument('<topic>')
    .addOption(
      new Option('--from <place>', 'earliest, latest, an offset, or a time').default('earliest').argParser(readPlace),
    )
    .addOption(maxOption(32))
    .option('-t, --tags <tags>', 'only these, as "a || b"', '*')
    .option('-f, --follow', 'go on with messages to come, until Ctrl-C')
    .action(async (name: string, flags: PullFlags) => {
      const { pull: run } = await import('../commands/pull.js');
      end(await run(shell, name, flags));
    });
  return withExample(reaching(command), 'ringmq pull Hello --tags greeting --follow');
}

/** Up to 11 digits are an offset: as milliseconds they would be a time before 1973. */
function readPlace(argument: string): Place {
  if (argument === 'earliest' || argument === 'latest') return argument;
  if (/^\d{1,11}$/.test(argument)) return Number(argument);
  try {
    return new Date(readTime(argument));
  } catch {
    throw new InvalidArgumentError(`Expected earliest, latest, an offset, or a time: ${TIME_FORMS}.`);
  }
}

const fromOption = (): Option =>
  new Option('--from <time>', `stored then or later; ${TIME_FORMS}`).argParser(timeArgument);
const toOption = (): Option => new Option('--to <time>', 'stored before').argParser(timeArgument);

export function message(shell: Shell, end: End): Command {
  const group = new Command('message').description('find messages: by id, by key, by time');
  const use = () => import('../commands/message.js');
  const show = new Command('show')
    .description('everything about one message, and which groups are past it')
    .argument('<id>', 'its offset message id; or, with --topic, its unique id')
    .option('-t, --topic <topic>', 'where to look for a unique id')
    .action(async (id: string, flags: ShowFlags) => end(await (await use()).showMessage(shell, id, flags)));
  const find = new Command('find')
    .description('the messages that have a key or a unique id')
    .requiredOption('-t, --topic <topic>', 'where to look')
    .addOption(new Option('-k, --key <key>', 'a key').conflicts('unique'))
    .addOption(new Option('-u, --unique <id>', 'the id a producer gave').conflicts(['from', 'to', 'max']))
    .addOption(fromOption())
    .addOption(toOption())
    .addOption(maxOption(64))
    .action(async (flags: FindFlags) => end(await (await use()).findMessages(shell, flags)));
  const list = new Command('list')
    .description('the messages of a topic that were stored between two times')
    .argument('<topic>')
    .addOption(fromOption())
    .addOption(toOption())
    .option('--tags <tags>', 'only these, as "a || b"', '*')
    .addOption(maxOption(64))
    .action(async (topic: string, flags: ListFlags) => end(await (await use()).listMessages(shell, topic, flags)));
  group.addCommand(withExample(reaching(show), 'ringmq message show 7F00000100002A9F0000000000000000'));
  group.addCommand(withExample(reaching(find), 'ringmq message find --topic Orders --key order-17'));
  group.addCommand(withExample(reaching(list), 'ringmq message list Orders --from -1h --to now'));
  return group;
}
