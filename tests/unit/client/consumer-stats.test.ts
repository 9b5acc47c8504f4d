import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { ConsumerStats } from '../../../client/consumer-stats.js';

const stats = suite('client/consumer-stats');

stats('averages the last minute, and forgets what is older', () => {
  const now = performance.now;
  let nowMs = 1_000_000;
  performance.now = () => nowMs;
  try {
    const consumer = new ConsumerStats();
    consumer.onPull('T', 30, 10);
    consumer.onPull('T', 30, 20);
    consumer.onConsume('T', 6, 12, 5);
    const status = consumer.status('T');
    assert.equal([status.pullRT, status.pullTPS, status.consumeRT], [15, 1, 5]);
    assert.equal([status.consumeOKTPS, status.consumeFailedTPS, status.consumeFailedMsgs], [0.1, 0.2, 12]);
    nowMs += 61_000;
    assert.equal([consumer.status('T').pullTPS, consumer.status('T').consumeFailedMsgs], [0, 12]);
    nowMs += 3_600_000;
    assert.is(consumer.status('T').consumeFailedMsgs, 0);
    assert.is(consumer.status('U').pullRT, 0);
  } finally {
    performance.now = now;
  }
});

stats.run();
