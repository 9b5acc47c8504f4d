/** The front door with real sockets and a remoting that only remembers. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import type { Remoting } from '../../../../actors/remoting/actor.js';
import type { Connection } from '../../../../actors/remoting/connection.js';
import { FrontDoor } from '../../../../actors/remoting/front-door.js';
import { decodeCommand } from '../../../../protocol/command.js';
import { frameOf } from '../../../support/rooms.js';
import { Wire } from '../../../support/test-node.js';
import { until } from '../../../support/until.js';

const frontDoor = suite('actors/remoting/front-door');

/** As much of a remoting as a door sees. */
class Inside {
  readonly taken: number[] = [];
  readonly frames: Uint8Array[] = [];
  readonly welcomed: Connection[] = [];
  readonly closed: Connection[] = [];
  readonly #door: FrontDoor;

  constructor(door: FrontDoor) {
    this.#door = door;
  }

  get remoting(): Remoting {
    return this as unknown as Remoting;
  }

  onFrame(_: Connection, bytes: Uint8Array, at: number, size: number): boolean {
    const frame = bytes.slice(at, at + size);
    this.frames.push(frame);
    this.taken.push(decodeCommand(frame).opaque);
    return true;
  }

  accept(make: (id: number) => Connection): boolean {
    const connection = this.#door.connections.add(make);
    if (connection !== undefined) this.welcome(connection);
    return connection !== undefined;
  }

  welcome(connection: Connection): void {
    this.welcomed.push(connection);
  }

  leave(): void {}

  onClosed(connection: Connection): void {
    this.closed.push(connection);
    this.#door.connections.remove(connection);
  }
}

const frame = (opaque: number, size = 0): Uint8Array => frameOf(34, {}, new Uint8Array(size), { opaque });

async function withDoor(test: (door: FrontDoor, port: number) => Promise<void>): Promise<void> {
  const door = new FrontDoor({ connectionsMax: 10, backlog: 10, outboundBytesMax: 1e6 });
  const [port] = await door.open([{ kind: 'broker', host: '127.0.0.1', port: 0 }]);
  try {
    await test(door, port!);
  } finally {
    door.close();
  }
}

frontDoor('connections outlive a remoting; what comes meanwhile waits, in its order', () =>
  withDoor(async (door, port) => {
    const first = new Inside(door);
    door.letIn(first.remoting);
    const wire = await Wire.dial(port);
    wire.write(frame(1));
    await until(() => first.taken.length === 1, 'the first request is taken');
    door.shut();
    for (let opaque = 2; opaque < 40; opaque++) wire.write(frame(opaque, 50_000));
    const other = await Wire.dial(port);
    other.write(frame(100));
    await until(() => door.connections.size === 2, 'the other is accepted');
    door.leave();
    const second = new Inside(door);
    door.letIn(second.remoting);
    await until(() => second.taken.length === 39, 'all that waited is taken');
    const own = second.taken.filter(opaque => opaque < 100);
    assert.equal(
      own,
      Array.from({ length: 38 }, (_, index) => index + 2),
    );
    assert.equal([first.taken.length, second.welcomed.length, wire.isClosed], [1, 2, false]);
    wire.close();
    other.close();
  }),
);

frontDoor('what was given back comes first', () =>
  withDoor(async (door, port) => {
    const first = new Inside(door);
    door.letIn(first.remoting);
    const wire = await Wire.dial(port);
    for (const opaque of [1, 2]) wire.write(frame(opaque));
    await until(() => first.taken.length === 2, 'both are taken');
    door.shut();
    wire.write(frame(3));
    await until(() => first.welcomed[0]!.paused, 'the third waits');
    for (const taken of first.frames) first.welcomed[0]!.giveBack(taken);
    door.leave();
    const second = new Inside(door);
    door.letIn(second.remoting);
    assert.equal(second.taken, [1, 2, 3]);
    wire.write(frame(4));
    await until(() => second.taken.length === 4, 'the connection is read on');
    wire.close();
  }),
);

frontDoor('a connection that closes before the shut door is told of to who comes next', () =>
  withDoor(async (door, port) => {
    const wire = await Wire.dial(port);
    await until(() => door.connections.size === 1, 'it is accepted');
    wire.close();
    await until(() => door.connections.size === 0, 'it is gone');
    const inside = new Inside(door);
    door.letIn(inside.remoting);
    assert.equal([inside.closed.length, inside.welcomed.length], [1, 1]);
  }),
);

frontDoor('opened again it has the same ports', () =>
  withDoor(async (door, port) => {
    assert.equal(await door.open([{ kind: 'broker', host: '127.0.0.1', port: 0 }]), [port]);
  }),
);

frontDoor.run();
