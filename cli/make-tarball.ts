/**
 * `npm run dist`: the archive that is unpacked and used without npm. Its commands are those of RocketMQ's own archive:
 *
 *     tar xf ringmq-VERSION.tar.gz && cd ringmq-VERSION
 *     nohup ./bin/mqnamesrv &
 *     nohup ./bin/mqbroker -n HOST:9876 -c ./conf/2m-noslave/broker-a.properties &
 */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { packageFolder, packageVersion } from './package-files.js';

/** What the programs need besides their packages. */
const carried = ['bin', 'config', 'docs', 'dist', 'package.json', 'README.md', 'CHANGELOG.md', 'LICENSE'];
const leftOut = ['dist/tests', 'dist/bench', 'dist/examples'];

function makeTarball(outFolder: string): string {
  const from = packageFolder();
  const name = `ringmq-${packageVersion()}`;
  const staging = path.join(outFolder, name);
  fs.rmSync(staging, { recursive: true, force: true });
  fs.mkdirSync(staging, { recursive: true });
  const wanted = (source: string): boolean => !leftOut.includes(path.relative(from, source));
  for (const item of carried) {
    fs.cpSync(path.join(from, item), path.join(staging, item), { recursive: true, filter: wanted });
  }
  for (const folder of packagesOf(from)) {
    fs.cpSync(path.join(from, folder), path.join(staging, folder), { recursive: true, dereference: true });
  }
  // RocketMQ's archive calls it conf.
  fs.symlinkSync('config', path.join(staging, 'conf'));
  const file = `${name}.tar.gz`;
  execFileSync('tar', ['-czf', file, name], { cwd: outFolder });
  fs.rmSync(staging, { recursive: true });
  return path.join(outFolder, file);
}

/** Folders of the packages that the programs need to run, below the package's own. */
function packagesOf(folder: string): string[] {
  const words = ['ls', '--omit=dev', '--all', '--parseable'];
  const lines = execFileSync('npm', words, { cwd: folder, encoding: 'utf8' }).trim().split('\n');
  return lines.map(line => path.relative(folder, line)).filter(line => line.startsWith('node_modules'));
}

const out = path.resolve(process.argv[2] ?? 'out');
fs.mkdirSync(out, { recursive: true });
process.stdout.write(`${makeTarball(out)}\n`);
