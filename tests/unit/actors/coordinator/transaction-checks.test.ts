/** What the coordinator does for the transaction checker. Source: spec transaction 6, 7. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CoordinatorType } from '../../../../actors/coordinator/mailbox.js';
import { Outbox } from '../../../../actors/transaction-checker/outbox.js';
import { decodeCommand, encodeCommand } from '../../../../protocol/command.js';
import { CountingBell, fillRing, type Outbound, putClosed } from '../../../support/rooms.js';
import { CoordinatorRoom, heartbeatOf, jsonBody, takeNews, topicsIn } from './support.js';

const checks = suite('actors/coordinator/transaction-checks');

const HALF = 'RMQ_SYS_TRANS_HALF_TOPIC';
const OP = 'RMQ_SYS_TRANS_OP_HALF_TOPIC';
const fields = { tranStateTableOffset: '7', commitLogOffset: '4096', msgId: 'K', transactionId: 'K' };

class Room extends CoordinatorRoom {
  readonly bell = new CountingBell();
  readonly outbox = new Outbox(this.fromTransactionChecker, this.bell);

  /** A producer of these groups says that it is there. */
  join(connectionId: number, ...producers: string[]): void {
    const data = heartbeatOf({ clientId: `client-${connectionId}`, group: '', producers });
    this.ask(34, {}, jsonBody(data), connectionId);
  }

  question(group = 'PG', body = 'hello'): Outbound[] {
    const bytes = new TextEncoder().encode(body);
    const asked = this.outbox.ask({ group, fields }, bytes.length + 50, (target, at) => {
      target.set(bytes, at);
      return at + bytes.length;
    });
    assert.is(asked, 'asked');
    this.work();
    return this.take();
  }
}

checks('a question goes to a producer of the group, one way, with the message as body', () => {
  const room = new Room();
  room.join(1, 'PG');
  const [{ connectionId, command }] = room.question() as [Outbound];
  assert.is(connectionId, 1);
  assert.equal([command!.code, command!.flag], [39, 2]);
  assert.equal(command!.extFields, fields);
  assert.is(new TextDecoder().decode(command!.body!), 'hello');
  assert.equal(decodeCommand(encodeCommand(command!)).extFields, fields);
});

checks('producers of a group are asked in turn; who left is not', () => {
  const room = new Room();
  for (const connectionId of [1, 2, 3]) room.join(connectionId, 'PG');
  room.join(4, 'Other');
  const asked = (): number => room.question()[0]!.connectionId;
  assert.equal([asked(), asked(), asked(), asked()].sort(), [1, 1, 2, 3]);
  putClosed(room.fromRemoting, 2);
  room.work();
  assert.equal(new Set([asked(), asked(), asked(), asked()]), new Set([1, 3]));
  assert.is(room.question('Other')[0]!.connectionId, 4);
});

checks('without a producer the question is dropped: it comes again', () => {
  const room = new Room();
  assert.equal(room.question('Nobody'), []);
  room.join(1, 'Nobody');
  assert.is(room.question('Nobody').length, 1);
});

checks('a question that is too large for a frame is dropped and does not block what follows', () => {
  const room = new Room({ remotingRingBytes: 16 * 1024 });
  room.join(1, 'PG');
  assert.equal(room.question('PG', 'x'.repeat(9000)), []);
  assert.is(room.question().length, 1);
});

checks('what remoting does not take now stays in the checker’s ring', () => {
  const room = new Room({ remotingRingBytes: 4096 });
  room.join(1, 'PG');
  const put = (): string => room.outbox.ask({ group: 'PG', fields }, 100, (_, at) => at + 100);
  for (let count = 0; count < 40; count++) put();
  let taken = 0;
  for (let cycle = 0; cycle < 40; cycle++) {
    room.work();
    taken += room.take().length;
  }
  assert.is(taken, 40);
});

checks('progress is committed as any group’s, and told when it is asked for', () => {
  const room = new Room();
  const progress = (): unknown[] => {
    room.outbox.askProgress();
    room.work();
    return takeNews(room.transactionNews).map(({ value }) => JSON.parse(value as string));
  };
  takeNews(room.transactionNews);
  assert.equal(progress(), [[{ half: -1, op: -1 }]]);
  room.outbox.commit(HALF, 0, 12);
  room.outbox.commit(OP, 0, 9);
  assert.equal(progress(), [[{ half: 12, op: 9 }]]);
  assert.is(room.offsets.query('CID_RMQ_SYS_TRANS', HALF, 0), 12);
});

checks('the checker hears of the topics of transactions only', () => {
  const room = new Room();
  room.coordinator.announceAll();
  assert.equal(topicsIn(takeNews(room.transactionNews)).sort(), [HALF, OP, 'TRANS_CHECK_MAX_TIME_TOPIC'].sort());
});

checks('the ring to the coordinator being full is an outcome, and so is a question no ring can take', () => {
  const room = new Room();
  const ask = (size: number): string => room.outbox.ask({ group: 'PG', fields }, size, (_, at) => at + size);
  assert.is(ask(200 * 1024), 'tooLarge');
  while (ask(4000) === 'asked');
  assert.is(ask(4000), 'full');
  fillRing(room.fromTransactionChecker, CoordinatorType.TRANSACTION_PROGRESS_NEEDED, 0);
  assert.equal([room.outbox.askProgress(), room.outbox.commit(HALF, 0, 1)], [false, false]);
});

checks.run();
