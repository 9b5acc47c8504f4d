/** Calls to clients end once: with an answer, a deadline or the connection. */
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { CALLS_MAX, type CallFailure, CallTable } from '../../../../actors/coordinator/call-table.js';
import { createRequest, createResponse, type RemotingCommand } from '../../../../protocol/command.js';

const calls = suite('actors/coordinator/call-table');

const answerTo = (opaque: number): RemotingCommand => createResponse({ ...createRequest(307), opaque }, 0, 'well');

/** What a call came to by now. */
async function outcomeOf(call: { outcome: Promise<RemotingCommand | CallFailure> }): Promise<string> {
  const outcome = await Promise.race([call.outcome, Promise.resolve('open')]);
  return typeof outcome === 'string' ? outcome : outcome.remark!;
}

calls('an answer ends the call it belongs to, once', async () => {
  const table = new CallTable();
  const first = table.open(1, 100);
  const second = table.open(1, 100);
  assert.ok(first.opaque !== second.opaque);
  assert.is(table.answered(1, answerTo(second.opaque)), true);
  assert.is(table.answered(1, answerTo(second.opaque)), false);
  assert.equal([await outcomeOf(first), await outcomeOf(second)], ['open', 'well']);
});

calls('only the client that was asked can answer', async () => {
  const table = new CallTable();
  const call = table.open(1, 100);
  assert.is(table.answered(2, answerTo(call.opaque)), false);
  assert.is(await outcomeOf(call), 'open');
});

calls('a deadline ends a call', async () => {
  const table = new CallTable();
  assert.is(table.nextDeadlineMs(), Number.POSITIVE_INFINITY);
  const late = table.open(1, 200);
  const early = table.open(2, 100);
  assert.is(table.nextDeadlineMs(), 100);
  table.expire(100);
  assert.equal([await outcomeOf(late), await outcomeOf(early)], ['open', 'timeout']);
  assert.is(table.answered(2, answerTo(early.opaque)), false, 'too late');
  assert.is(table.nextDeadlineMs(), 200);
});

calls('a closed connection ends its calls', async () => {
  const table = new CallTable();
  const [gone, here] = [table.open(1, 100), table.open(2, 100)];
  table.connectionClosed(1);
  assert.equal([await outcomeOf(gone), await outcomeOf(here)], ['closed', 'open']);
});

calls('there is room for so many and no more', async () => {
  const table = new CallTable();
  for (let index = 0; index < CALLS_MAX; index++) table.open(1, 100);
  const refused = table.open(1, 100);
  assert.equal([refused.opaque, await outcomeOf(refused)], [-1, 'too many calls']);
  table.expire(100);
  assert.ok(table.open(1, 200).opaque >= 0);
});

calls.run();
