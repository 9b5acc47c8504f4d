/**
 * Known bytes against `protocol/`, both ways: the vectors of the specifications, and what real Java clients and servers
 * sent each other. Every file in `vectors/` says where it comes from; `capture.ts` made those named `java-…`.
 */
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { GroupSnapshot } from '../../actors/group-snapshot.js';
import { SendBehaviour, SendVerdict } from '../../actors/send-lane/behaviour.js';
import { TopicSnapshot } from '../../actors/topic-snapshot.js';
import { formatUniqKey } from '../../client/unique-id.js';
import {
  decodeHeartbeatData,
  decodeRegisterBrokerBody,
  decodeTopicRouteData,
  registerBodyCrc32,
} from '../../protocol/bodies.js';
import { getI32, getI64, putI32, putI64 } from '../../protocol/bytes.js';
import { CommandFlag, LanguageCode, SerializeType } from '../../protocol/codes.js';
import { createRequest, decodeCommand, encodeCommand, type RemotingCommand } from '../../protocol/command.js';
import { ConsumeQueueUnit } from '../../protocol/consume-queue-unit.js';
import { bodyCrc32 } from '../../protocol/crc32.js';
import { FRAME_PREFIX_SIZE, frameSize, headerLength, peekCode, serializeTypeOf } from '../../protocol/frame.js';
import { HeaderView } from '../../protocol/header-view.js';
import { formatMessageId } from '../../protocol/message-id.js';
import {
  beginRecord,
  finishRecord,
  javaHashText,
  recordPhysicalOffset,
  recordPropertiesSize,
  recordPropertiesStart,
  recordTotalSize,
  stampRecord,
} from '../../protocol/message-record.js';
import { putPullResponse } from '../../protocol/pull-response.js';
import { SendResponseEncoder } from '../../protocol/send-response.js';
import { checkoutFolder } from '../support/node-process.js';
import { tagsCodeOf } from '../support/property-ranges.js';
import { decodeRecords, type RawRecord } from '../support/raw-record.js';
import {
  type CapturedFrame,
  type CaptureFile,
  type PassedFrame,
  RecordingProxy,
  readFixedFields,
  selectFrames,
} from './capture.js';

const vectors = suite('vectors');

const folder = path.join(checkoutFolder(), 'tests', 'conformance', 'vectors');
const readVectors = <File>(name: string): File => JSON.parse(fs.readFileSync(path.join(folder, name), 'utf8')) as File;
const hexOf = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
const bytesOf = (hex: string): Buffer => Buffer.from(hex, 'hex');

// ---- the specifications ----

interface Specification {
  readonly frames: readonly {
    readonly name: string;
    readonly hex: string;
    readonly code: number;
    readonly opaque: number;
    readonly serializeType: SerializeType;
    readonly extFields: Record<string, string>;
  }[];
  readonly records: readonly {
    readonly name: string;
    readonly hex: string;
    readonly body: string;
    readonly topic: string;
    readonly tags: string;
    readonly queueId: number;
    readonly queueOffset: number;
    readonly physicalOffset: number;
    readonly msgId: string;
    readonly consumeQueueEntry: string;
  }[];
  readonly bodyCrcs: Readonly<Record<string, string>>;
  readonly tagsCodes: Readonly<Record<string, number>>;
  readonly uniqueKey: Readonly<Record<'text' | 'ip' | 'pid' | 'hash' | 'sinceMonthStartMs', string>> & {
    readonly counter: number;
  };
}

const specification = readVectors<Specification>('specification.json');

vectors('specification: frames, both ways', () => {
  for (const { name, hex, code, opaque, serializeType, extFields } of specification.frames) {
    const command = { ...createRequest(code, extFields), opaque, serializeType };
    assert.equal(decodeCommand(bytesOf(hex)), command, name);
    const written = encodeCommand(command);
    // Of JSON, the specification's example leaves out a field that 4.x writes.
    if (serializeType === SerializeType.ROCKETMQ) assert.is(hexOf(written), hex, name);
    else assert.equal(decodeCommand(written), command, name);
  }
});

vectors('specification: records, their ids and consume queue entries, both ways', () => {
  for (const vector of specification.records) {
    const bytes = bytesOf(vector.hex);
    const [record] = decodeRecords(bytes) as [RawRecord];
    assert.equal(
      [record.body.toString(), record.topic, record.queueId, record.queueOffset, record.physicalOffset],
      [vector.body, vector.topic, vector.queueId, vector.queueOffset, vector.physicalOffset],
    );
    assert.is(hexOf(encodeAgain(record)), vector.hex, vector.name);
    assert.is(formatMessageId(getI32(bytes, 64), getI32(bytes, 68), vector.physicalOffset), vector.msgId);
    const start = recordPropertiesStart(bytes, 0);
    const tagsCode = tagsCodeOf(bytes, start, start + recordPropertiesSize(bytes, start));
    const { at, size } = ConsumeQueueUnit;
    const entry = new Uint8Array(size);
    putI64(entry, at.physicalOffset, recordPhysicalOffset(bytes, 0));
    putI32(entry, at.size, recordTotalSize(bytes, 0));
    putI64(entry, at.tagsCode, tagsCode);
    assert.is(hexOf(entry), vector.consumeQueueEntry);
    const read = bytesOf(vector.consumeQueueEntry);
    assert.equal(
      [getI64(read, at.physicalOffset), getI32(read, at.size), getI64(read, at.tagsCode)],
      [vector.physicalOffset, bytes.length, javaHashText(vector.tags)],
    );
  }
});

vectors('specification: sums, tags codes, unique keys', () => {
  for (const [text, crc] of Object.entries(specification.bodyCrcs)) {
    assert.is(bodyCrc32(Buffer.from(text), 0, text.length), Number.parseInt(crc, 16), text);
  }
  for (const [tag, code] of Object.entries(specification.tagsCodes)) assert.is(javaHashText(tag), code, tag);
  const { text, ip, pid, hash, sinceMonthStartMs, counter } = specification.uniqueKey;
  const number = (digits: string): number => Number.parseInt(digits, 16);
  const fields = { pid: number(pid), hash: number(hash), sinceMonthStartMs: number(sinceMonthStartMs), counter };
  assert.is(formatUniqKey({ ip: bytesOf(ip), ...fields }), text);
});

// ---- what Java sent ----

const captures = fs
  .readdirSync(folder)
  .filter(name => name.startsWith('java-'))
  .map(name => ({ name: name.replace('.json', ''), ...readVectors<CaptureFile>(name) }));
type Capture = (typeof captures)[number];

function frameNamed(capture: Capture, name: string): Buffer {
  const frame = capture.frames.find(candidate => candidate.name === name);
  assert.ok(frame, `${capture.name} has "${name}"`);
  return bytesOf((frame as CapturedFrame).hex);
}

const sendCodeOf = (capture: Capture): number =>
  capture.frames.some(frame => frame.name === 'broker 10 request') ? 10 : 310;

/** A header read by the table of the specification alone. */
function readHeader(
  frame: Buffer,
): Pick<RemotingCommand, 'code' | 'version' | 'opaque' | 'flag' | 'remark' | 'extFields'> {
  const size = frame.readUIntBE(5, 3);
  if (frame[4] === 0) {
    const header = JSON.parse(frame.toString('utf8', 8, 8 + size)) as RemotingCommand;
    const { code, version, opaque, flag, remark = null, extFields = {} } = header;
    return { code, version, opaque, flag, remark, extFields };
  }
  const remarkEnd = 25 + frame.readInt32BE(21);
  const extFields: Record<string, string> = {};
  let at = remarkEnd + 4;
  assert.is(at + frame.readInt32BE(remarkEnd), 8 + size);
  while (at < 8 + size) {
    const nameEnd = at + 2 + frame.readInt16BE(at);
    const valueEnd = nameEnd + 4 + frame.readInt32BE(nameEnd);
    extFields[frame.toString('utf8', at + 2, nameEnd)] = frame.toString('utf8', nameEnd + 4, valueEnd);
    at = valueEnd;
  }
  return {
    code: frame.readInt16BE(8),
    version: frame.readInt16BE(11),
    opaque: frame.readInt32BE(13),
    flag: frame.readInt32BE(17),
    remark: frame.toString('utf8', 25, remarkEnd) || null,
    extFields,
  };
}

vectors('the captures are complete, and say where they come from', () => {
  assert.equal(captures.map(capture => capture.name).sort(), [
    'java-3.2.6',
    'java-3.2.6-client-4.9.7',
    'java-4.9.7',
    'java-4.9.7-binary',
  ]);
  for (const { captured, frames, name } of captures) {
    for (const fact of [captured.client, captured.server, captured.how]) assert.ok(fact.length > 10, name);
    assert.match(captured.date, /^\d{4}-\d\d-\d\d$/);
    assert.ok(frames.length > 35, name);
    assert.is(new Set(frames.map(frame => frame.name)).size, frames.length);
  }
});

for (const capture of captures) {
  vectors(`${capture.name}: every frame is read`, () => {
    for (const { name, hex, kind, requestCode } of capture.frames) {
      const frame = bytesOf(hex);
      assert.is(frameSize(frame, 0), frame.length, name);
      assert.ok(headerLength(frame, 0) > 0, name);
      const { body, serializeType, language, ...header } = decodeCommand(frame);
      assert.equal(header, readHeader(frame), name);
      assert.is(language, LanguageCode.JAVA, name);
      assert.is(serializeType, frame[4], name);
      const bodyStart = FRAME_PREFIX_SIZE + frame.readUIntBE(5, 3);
      assert.is(body === null ? '' : hexOf(body), hexOf(frame.subarray(bodyStart)), name);
      assert.is((header.flag & CommandFlag.RESPONSE) !== 0, kind === 'answer', name);
      if (kind === 'request') assert.is(peekCode(frame, 0), requestCode, name);
    }
  });

  vectors(`${capture.name}: every header takes the fast way`, () => {
    const view = new HeaderView();
    for (const { name, hex } of capture.frames) {
      const frame = bytesOf(hex);
      const end = FRAME_PREFIX_SIZE + headerLength(frame, 0);
      assert.ok(view.read(frame, FRAME_PREFIX_SIZE, end, serializeTypeOf(frame, 0)), name);
      assert.is(view.fallbacks, 0, name);
    }
  });

  vectors(`${capture.name}: every frame, written again, says the same`, () => {
    let equal = 0;
    for (const { name, hex } of capture.frames) {
      const command = decodeCommand(bytesOf(hex));
      const again = encodeCommand(command);
      assert.equal(decodeCommand(again), command, name);
      // Where Java leaves out empty ext fields, or 3.2.6 a field that 4.x has, the bytes differ.
      if (hexOf(again) === hex) equal++;
    }
    const withFields = capture.frames.filter(
      ({ hex }) => Object.keys(decodeCommand(bytesOf(hex)).extFields).length > 0,
    );
    const from4 = withFields.filter(({ hex }) => decodeCommand(bytesOf(hex)).version >= 407);
    assert.ok(equal >= from4.length, `${equal} frames are equal to the byte, ${from4.length} were to be`);
  });

  vectors(`${capture.name}: records are equal to the byte when encoded again`, () => {
    let count = 0;
    for (const name of ['broker 11 answer 0', 'broker 12 answer 0']) {
      for (const record of decodeRecords(Buffer.from(decodeCommand(frameNamed(capture, name)).body ?? []))) {
        assert.is(hexOf(encodeAgain(record)), hexOf(record.bytes), `${name}: ${record.queueOffset}`);
        count++;
      }
    }
    assert.ok(count >= 6, `${count} records`);
  });

  vectors(`${capture.name}: a send becomes the record that Java made of it`, () => {
    const request = frameNamed(capture, `broker ${sendCodeOf(capture)} request`);
    const [stored] = pulledRecords(capture) as [RawRecord];
    const [made] = decodeRecords(storeLikeUs(request, stored)) as [RawRecord];
    const { bytes: _, properties: storedProperties, ...storedFields } = stored;
    const { bytes: __, properties: madeProperties, ...madeFields } = made;
    assert.equal(madeFields, storedFields);
    const sorted = (properties: ReadonlyMap<string, string>) =>
      [...properties].filter(([name]) => name !== 'WAIT').sort();
    // 3.2.6 does not yet say which cluster it is, and keeps WAIT.
    const expected = new Map(storedProperties).set('CLUSTER', 'DefaultCluster');
    assert.equal(sorted(madeProperties), sorted(expected));
  });

  vectors(`${capture.name}: the answer to a send`, () => {
    const answer = decodeCommand(frameNamed(capture, `broker ${sendCodeOf(capture)} answer 0`));
    const [stored] = pulledRecords(capture) as [RawRecord];
    const made = answerSend(answer, stored, undefined);
    assert.is(made.opaque, decodeCommand(frameNamed(capture, `broker ${sendCodeOf(capture)} request`)).opaque);
    assert.equal({ ...made.extFields, ...answer.extFields }, made.extFields, 'nothing Java says is missing or other');
    const { queueId, msgId, queueOffset } = answer.extFields;
    assert.equal([queueId, queueOffset], [String(stored.queueId), String(stored.queueOffset)]);
    assert.is(msgId?.length, 32);
    if (answer.version < 407) return;
    assert.equal({ ...made, version: 407 }, answer);
    const bytes = hexOf(encodeCommand({ ...made, version: 407 }));
    // The order of the fields is that of Java as well; in the binary form Java's own varies.
    if (answer.serializeType === SerializeType.JSON) {
      assert.is(bytes, hexOf(frameNamed(capture, `broker ${sendCodeOf(capture)} answer 0`)));
    }
  });

  vectors(`${capture.name}: the answers to pulls`, () => {
    for (const code of [0, 20, 21]) {
      const answer = decodeCommand(frameNamed(capture, `broker 11 answer ${code}`));
      const number = (name: string): number => Number(answer.extFields[name]);
      const outcome = {
        code,
        remark: answer.remark ?? '',
        suggestWhichBrokerId: number('suggestWhichBrokerId'),
        nextBeginOffset: number('nextBeginOffset'),
        minOffset: number('minOffset'),
        maxOffset: number('maxOffset'),
      };
      const target = new Uint8Array(512 + (answer.body?.length ?? 0));
      const { serializeType, opaque, body, version } = answer;
      const bodyAt = putPullResponse(target, 0, serializeType, opaque, outcome, body?.length ?? 0);
      target.set(body ?? [], bodyAt);
      const made = decodeCommand(target.subarray(0, bodyAt + (body?.length ?? 0)));
      assert.equal({ ...made, version }, answer);
    }
  });

  vectors(`${capture.name}: heartbeat, registration and route`, () => {
    const heartbeat = decodeHeartbeatData(decodeCommand(frameNamed(capture, 'broker 34 request')).body);
    assert.match(heartbeat.clientID, /^127\.0\.0\.1@/);
    const groups = heartbeat.producerDataSet.map(group => group.groupName).sort();
    assert.ok(groups.includes('CLIENT_INNER_PRODUCER'), groups.join());
    for (const { subscriptionDataSet } of heartbeat.consumerDataSet) {
      for (const { codeSet, tagsSet } of subscriptionDataSet) {
        assert.equal([...codeSet].sort(), tagsSet.map(javaHashText).sort());
      }
    }
    const registration = decodeCommand(frameNamed(capture, 'name server 103 request'));
    const { bodyCrc32: crc, compressed } = registration.extFields;
    const sender = { version: registration.version, compressed: compressed === 'true' };
    const { topicConfigTable } = decodeRegisterBrokerBody(registration.body, sender).topicConfigSerializeWrapper;
    assert.ok(Object.keys(topicConfigTable).length >= 5);
    assert.is(topicConfigTable.TBW102?.topicName, 'TBW102');
    if (crc !== undefined) assert.is(registerBodyCrc32(registration.body), Number(crc));
    const route = decodeTopicRouteData(decodeCommand(frameNamed(capture, 'name server 105 answer 0')).body);
    assert.equal(route.queueDatas, [
      { brokerName: 'broker-a', readQueueNums: 8, writeQueueNums: 8, perm: 7, topicSysFlag: 0 },
    ]);
    assert.match(route.brokerDatas[0]?.brokerAddrs['0'] ?? '', /^127\.0\.0\.1:\d{5}$/);
  });
}

vectors('routes come in both renderings', () => {
  const text = (capture: string): string => {
    const found = captures.find(candidate => candidate.name === capture) as Capture;
    return Buffer.from(decodeCommand(frameNamed(found, 'name server 105 answer 0')).body ?? []).toString();
  };
  assert.match(text('java-4.9.7'), '"brokerAddrs":{"0":"127.0.0.1:');
  assert.match(text('java-3.2.6-client-4.9.7'), '"brokerAddrs":{0:"127.0.0.1:');
  assert.match(text('java-3.2.6'), '"brokerAddrs":{0:"127.0.0.1:');
});

for (const name of ['java-4.9.7', 'java-4.9.7-binary']) {
  vectors(`${name}: a batch becomes the records that Java made of it`, () => {
    const capture = captures.find(candidate => candidate.name === name) as Capture;
    const answer = decodeCommand(frameNamed(capture, 'broker 320 answer 0'));
    const first = Number(answer.extFields.queueOffset);
    const stored = pulledRecords(capture).filter(
      record => record.queueOffset >= first && record.queueOffset < first + 3,
    );
    const made = decodeRecords(storeLikeUs(frameNamed(capture, 'broker 320 request'), stored[0] as RawRecord));
    assert.is(made.length, 3);
    for (const [index, record] of made.entries()) {
      const theirs = stored[index] as RawRecord;
      assert.equal([record.body, record.topic, record.flag], [theirs.body, theirs.topic, theirs.flag]);
      const properties = (of: RawRecord) => [...of.properties].filter(([key]) => key !== 'WAIT').sort();
      assert.equal(properties(record), properties(theirs));
    }
    const sizes = Int32Array.from(stored, record => record.bytes.length);
    assert.equal({ ...answerSend(answer, stored[0] as RawRecord, sizes), version: answer.version }, answer);
  });
}

/** The records of the first pull that found some. */
function pulledRecords(capture: Capture): RawRecord[] {
  return decodeRecords(Buffer.from(decodeCommand(frameNamed(capture, 'broker 11 answer 0')).body ?? []));
}

/** Our encoder, given what an independent decoder found in a record. */
function encodeAgain(record: RawRecord): Uint8Array {
  const source = record.bytes;
  const target = new Uint8Array(source.length);
  const fields = {
    queueId: record.queueId,
    flag: record.flag,
    sysFlag: record.sysFlag,
    bornTimestamp: record.bornTimestampMs,
    bornAddress: source.readInt32BE(48),
    bornPort: source.readInt32BE(52),
    storeAddress: source.readInt32BE(64),
    storePort: source.readInt32BE(68),
    reconsumeTimes: record.reconsumeTimes,
    preparedTransactionOffset: Number(source.readBigInt64BE(76)),
  };
  const { body } = record;
  const crc = bodyCrc32(body, 0, body.length);
  const lengthAt = beginRecord(target, 0, fields, crc, body, 0, body.length, Buffer.from(record.topic));
  // The property string itself: its order is the sender's.
  const properties = source.subarray(lengthAt + 2);
  target.set(properties, lengthAt + 2);
  const end = finishRecord(target, 0, lengthAt, properties.length);
  stampRecord(target, 0, record.queueOffset, record.physicalOffset, record.storeTimestampMs);
  return target.subarray(0, end);
}

/** The records that our send lane makes of a request, with the writer's part and the hosts of `like`. */
function storeLikeUs(frame: Buffer, like: RawRecord): Buffer {
  const topics = new TopicSnapshot();
  const queueNumbers = Int32Array.of(0, 1, 2, 3);
  const queues = { perm: 6, readQueueNums: 4, writeQueueNums: 4, order: false, queueNumbers };
  topics.put({ name: 'VectorTopic', ...queues });
  const context = {
    brokerName: 'broker-a',
    brokerClusterName: 'DefaultCluster',
    regionId: 'DefaultRegion',
    traceOn: true,
    storeAddress: like.bytes.readInt32BE(64),
    storePort: like.bytes.readInt32BE(68),
    syncFlush: false,
    syncReplica: false,
    delayLevels: 18,
  };
  const behaviour = new SendBehaviour(context, topics, new GroupSnapshot());
  const settings = {
    maxMessageSize: 4_194_304,
    waitTimeMillsInSendQueue: 200,
    brokerPermission: 6,
    rejectTransactionMessage: false,
    startAcceptSendRequestTimeStamp: 0,
  };
  const view = new HeaderView();
  const bodyAt = FRAME_PREFIX_SIZE + headerLength(frame, 0);
  assert.ok(view.read(frame, FRAME_PREFIX_SIZE, bodyAt, serializeTypeOf(frame, 0)));
  const verdict = behaviour.judge(view, frame, bodyAt, frame.length, settings, 0, Date.now());
  assert.is(verdict, SendVerdict.APPEND, behaviour.remark);
  const target = new Uint8Array(behaviour.recordSizeMax);
  const [bornAddress, bornPort] = [like.bytes.readInt32BE(48), like.bytes.readInt32BE(52)];
  const end = behaviour.encode(view, frame, bodyAt, frame.length, target, 0, bornAddress, bornPort, settings);
  assert.ok(end > 0 && end <= target.length);
  let physicalOffset = like.physicalOffset;
  for (let at = 0, index = 0; at < end; index++) {
    stampRecord(target, at, like.queueOffset + index, physicalOffset, like.storeTimestampMs);
    physicalOffset += recordTotalSize(target, at);
    at += recordTotalSize(target, at);
  }
  return Buffer.from(target.subarray(0, end));
}

/** Our answer to the send that made `record`. */
function answerSend(answer: RemotingCommand, record: RawRecord, sizes: Int32Array | undefined): RemotingCommand {
  const host = { storeAddress: record.bytes.readInt32BE(64), storePort: record.bytes.readInt32BE(68) };
  const target = new Uint8Array(1000);
  const { serializeType: type, code, opaque } = answer;
  const { queueId, queueOffset, physicalOffset } = record;
  const encoder = new SendResponseEncoder(host, 'DefaultRegion', true);
  const end = encoder.encode(target, 0, type, code, opaque, queueId, queueOffset, physicalOffset, sizes);
  return decodeCommand(target.subarray(0, end));
}

// ---- the tool that made them ----

/** Answers every request on a free port, and pushes one of its own first. */
async function startPeer(): Promise<net.Server> {
  const server = net.createServer(socket => {
    socket.on('error', () => {});
    socket.on('data', chunk => {
      const { opaque } = decodeCommand(chunk);
      const push = createRequest(40, { port: '11111' });
      socket.write(encodeCommand({ ...push, flag: CommandFlag.ONEWAY, opaque }));
      socket.write(encodeCommand({ ...createRequest(17, { port: '11111' }), opaque, flag: CommandFlag.RESPONSE }));
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return server;
}

vectors('the recording proxy passes everything on, and keeps it as the server said it', async () => {
  const server = await startPeer();
  const passed: PassedFrame[] = [];
  const { port } = server.address() as net.AddressInfo;
  const proxy = await RecordingProxy.listen({
    link: 'broker',
    to: `127.0.0.1:${port}`,
    port: 0,
    rewrite: { from: '11111', to: '22222' },
    onFrame: frame => passed.push(frame),
  });
  const client = net.connect({ host: '127.0.0.1', port: Number(proxy.address.split(':')[1]) });
  try {
    const request = encodeCommand({ ...createRequest(105, { topic: 'T' }), opaque: 5 });
    client.write(request.subarray(0, 10));
    client.write(request.subarray(10));
    let got = Buffer.alloc(0);
    while (got.toString().split('"code":').length < 3) {
      const [chunk] = (await once(client, 'data')) as [Buffer];
      got = Buffer.concat([got, chunk]);
    }
    assert.not.match(got.toString(), '11111');
    assert.match(got.toString(), '22222');
    const frames = selectFrames([...passed, ...passed]);
    assert.equal(
      frames.map(frame => frame.name),
      ['broker 105 request', 'broker 40 request to the client', 'broker 105 answer 17'],
    );
    assert.is(frames[0]?.hex, hexOf(request));
    assert.match(bytesOf(frames[2]?.hex ?? '').toString(), '11111');
    assert.equal(readFixedFields(bytesOf(specification.frames[1]?.hex ?? '')), { code: 105, opaque: 77, flag: 0 });
  } finally {
    client.destroy();
    await proxy.close();
    server.close();
  }
});

vectors.run();
