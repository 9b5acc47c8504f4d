/** Commands of Java's `mqadmin`, all run by one JVM. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { javaClasspath } from './java.js';
import { checkoutFolder } from './node-process.js';

/** Threads of clients may hold up the end of a JVM. */
const END_LIMIT_MS = 10_000;

/** What a command printed, and its exit code. */
export interface MqadminOutput {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

export class Mqadmin {
  readonly #jvm: ChildProcess;
  readonly #errors: Buffer[] = [];
  readonly #answers: AsyncIterator<string>;
  #last: Promise<unknown> = Promise.resolve();

  /** `folder` takes the logs of its clients. Errors: Error when that version cannot be had. */
  constructor(version: string, folder: string) {
    const runner = path.join(checkoutFolder(), 'tests', 'conformance', 'MqadminCommands.java');
    this.#jvm = startJvm(version, folder, [runner]);
    this.#jvm.stderr!.on('data', chunk => this.#errors.push(chunk));
    this.#answers = readline.createInterface({ input: this.#jvm.stdout! })[Symbol.asyncIterator]();
  }

  /**
   * One command. With `endWhen`, a regular expression of Java, it is interrupted when its output has that: for commands
   * that never end by themselves. Errors: Error when the JVM has ended.
   */
  run(args: readonly string[], endWhen = ''): Promise<MqadminOutput> {
    const answer = this.#last.then(() => this.#run([endWhen, ...args]));
    this.#last = answer.catch(() => undefined);
    return answer;
  }

  /** Ends the JVM when what was asked is answered. */
  async end(): Promise<void> {
    await this.#last;
    this.#jvm.stdin!.end();
    const late = setTimeout(() => this.#jvm.kill('SIGKILL'), END_LIMIT_MS);
    await endOf(this.#jvm);
    clearTimeout(late);
  }

  async #run(words: readonly string[]): Promise<MqadminOutput> {
    const base64 = words.map(word => Buffer.from(word).toString('base64'));
    this.#jvm.stdin!.write(`${base64.join(' ')}\n`);
    const { value, done } = await this.#answers.next();
    if (done === true) throw new Error(`the JVM of mqadmin ended: ${Buffer.concat(this.#errors)}`);
    const [code, out, err] = value.split(' ') as [string, string, string];
    return { code: Number(code), out: textOf(out), err: textOf(err) };
  }
}

/** One command that goes on for ever, in a JVM of its own. */
export class MqadminInBackground {
  readonly #jvm: ChildProcess;
  readonly #logFile: string;

  /** `folder` takes the logs of its clients. Errors: Error when that version cannot be had. */
  constructor(version: string, folder: string, args: readonly string[]) {
    this.#jvm = startJvm(version, folder, ['org.apache.rocketmq.tools.command.MQAdminStartup', ...args]);
    for (const stream of [this.#jvm.stdout!, this.#jvm.stderr!]) stream.resume();
    this.#logFile = path.join(folder, 'logs', 'rocketmqlogs', 'rocketmq_client.log');
  }

  /** What its clients have logged. */
  log(): string {
    return fs.existsSync(this.#logFile) ? fs.readFileSync(this.#logFile, 'utf8') : '';
  }

  async kill(): Promise<void> {
    this.#jvm.kill('SIGKILL');
    await endOf(this.#jvm);
  }
}

/** `home` becomes the JVM's home and working folder. */
function startJvm(version: string, home: string, args: readonly string[]): ChildProcess {
  fs.mkdirSync(path.join(home, 'conf'), { recursive: true });
  fs.writeFileSync(path.join(home, 'conf', 'logback_tools.xml'), '<configuration/>\n');
  const options = ['-Xmx256m', `-Duser.home=${home}`, '-Dfile.encoding=UTF-8', '-cp', javaClasspath(version)];
  return spawn('java', [...options, ...args], { cwd: home, env: { ...process.env, ROCKETMQ_HOME: home } });
}

async function endOf(jvm: ChildProcess): Promise<void> {
  if (jvm.exitCode === null && jvm.signalCode === null) await new Promise(resolve => jvm.once('exit', resolve));
}

const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString();
