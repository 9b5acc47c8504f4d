/** Commands of Java's `mqadmin`, all run by one JVM. */
import { type ChildProcess, spawn } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import readline from 'node:readline';
import { javaClasspath } from './java.js';
import { checkoutFolder } from './node-process.js';

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
    const home = path.join(folder, 'mqadmin');
    fs.mkdirSync(path.join(home, 'conf'), { recursive: true });
    fs.writeFileSync(path.join(home, 'conf', 'logback_tools.xml'), '<configuration/>\n');
    const runner = path.join(checkoutFolder(), 'tests', 'conformance', 'MqadminCommands.java');
    const options = ['-Xmx256m', `-Duser.home=${home}`, '-Dfile.encoding=UTF-8', '-cp', javaClasspath(version)];
    this.#jvm = spawn('java', [...options, runner], { cwd: home, env: { ...process.env, ROCKETMQ_HOME: home } });
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

  /** Waits for the end of the JVM. */
  async end(): Promise<void> {
    await this.#last;
    const { exitCode, signalCode } = this.#jvm;
    if (exitCode !== null || signalCode !== null) return;
    const ended = new Promise(resolve => this.#jvm.once('exit', resolve));
    this.#jvm.stdin!.end();
    await ended;
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

const textOf = (base64: string): string => Buffer.from(base64, 'base64').toString();
