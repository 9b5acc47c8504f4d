/**
 * `ringmq wiring`: the actors of a node and what connects them, from the table the node is built from.
 */
import { actorKinds, drawWiring, positionTable, ringTable } from '../../actors/node/wiring.js';
import { ExitCode } from '../exit-codes.js';
import { printJson } from '../reach.js';
import type { Shell } from '../shell.js';
import { renderTable } from '../table.js';

/** Prints tables; with `mermaid` the drawing of docs/ARCHITECTURE.md. */
export function wiring(shell: Shell, flags: { readonly mermaid?: true; readonly json?: true }): number {
  if (flags.mermaid) shell.out(drawWiring().trimEnd());
  else if (flags.json) printJson(shell, { actors: actorKinds, rings: ringTable, positions: positionTable });
  else {
    const rings = ringTable.map(({ from, to, carries, size }) => [from, to, size, carries]);
    const positions = positionTable.map(({ name, writer, followers, meaning }) => [
      name,
      writer,
      followers.join(', ') || '-',
      meaning,
    ]);
    shell.out(
      [
        renderTable(shell, ['ACTOR', 'WORK'], Object.entries(actorKinds)),
        renderTable(shell, ['RING FROM', 'TO', 'SIZE', 'CARRIES'], rings),
        renderTable(shell, ['POSITION', 'WRITER', 'FOLLOWERS', 'MEANING'], positions),
        shell.style('dim', '`ringmq wiring --mermaid` draws it.'),
      ].join('\n\n'),
    );
  }
  return ExitCode.OK;
}
