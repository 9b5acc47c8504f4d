/** Starts a program of RingMQ from dist/, for the launchers beside this file. Plain JavaScript: it runs as it is. */
import { existsSync } from 'node:fs';
import module from 'node:module';

const [major, minor] = process.versions.node.split('.').map(Number);

/** Runs `program` with the arguments of this process; its exit code becomes that of the process. */
export async function launch(program) {
  if (major < 20 || (major === 20 && minor < 15)) {
    return giveUp(`${program} needs Node.js 20.15 or later; this is ${process.version}`);
  }
  if (!existsSync(new URL('../dist/bundle/cli/main.js', import.meta.url))) {
    return giveUp(`${program} is not built yet: run \`npm run build\` in ${new URL('..', import.meta.url).pathname}`);
  }
  // From Node 22.8 on; compiled code is then read from a cache at the next start.
  module.enableCompileCache?.();
  const { main } = await import('../dist/bundle/cli/main.js');
  await main(program, process.argv.slice(2));
}

function giveUp(message) {
  process.stderr.write(`${message}\n`);
  process.exitCode = 1;
}
