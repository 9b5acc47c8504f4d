/** The processes below a process, and how to end them all. Reads /proc where there is one, else asks `ps`. */
import { execFileSync } from 'node:child_process';
import fs from 'node:fs';

/** Pids of all processes of this machine with their parents. */
function parents(): Map<number, number> {
  const parentOf = new Map<number, number>();
  if (fs.existsSync('/proc/self/stat')) {
    for (const name of fs.readdirSync('/proc')) {
      if (!/^\d+$/.test(name)) continue;
      try {
        const stat = fs.readFileSync(`/proc/${name}/stat`, 'utf8');
        // The name in parentheses may hold anything, so count from its end: state, parent.
        parentOf.set(Number(name), Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]));
      } catch {} // ended meanwhile
    }
    return parentOf;
  }
  for (const line of execFileSync('ps', ['-A', '-o', 'pid=,ppid='], { encoding: 'utf8' }).trim().split('\n')) {
    const [pid, parent] = line.trim().split(/\s+/).map(Number);
    parentOf.set(pid as number, parent as number);
  }
  return parentOf;
}

/** Children, their children and so on, of a process that still runs. */
export function descendantsOf(pid: number): number[] {
  const parentOf = parents();
  const found = [pid];
  for (let index = 0; index < found.length; index++) {
    for (const [child, parent] of parentOf) if (parent === found[index]) found.push(child);
  }
  return found.slice(1);
}

/** Sends a signal to a process, or with a negative number to a group; nothing happens when it has ended. */
export function signal(pid: number, name: NodeJS.Signals): void {
  try {
    process.kill(pid, name);
  } catch (cause) {
    // EPERM: what macOS says of a group of which only zombies are left.
    if (!['ESRCH', 'EPERM'].includes((cause as { code?: string }).code ?? '')) throw cause;
  }
}

/** SIGKILL to a process and everything below it. */
export function killTree(pid: number): void {
  const below = descendantsOf(pid);
  signal(pid, 'SIGKILL');
  for (const child of below) signal(child, 'SIGKILL');
}
