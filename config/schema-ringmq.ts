/**
 * RingMQ's own keys: threads, shared memory, sockets and logs, which RocketMQ either fixes or leaves to the JVM.
 */

import { bool, int, type KeyTable, long, oneOf, text, type ValueOf } from './keys.js';
import { httpAddressOrEmpty, pathOrEmpty } from './patterns.js';

const important = { important: true } as const;

/** Keys of every RingMQ process. */
export const processKeys = {
  threadingMode: oneOf(
    ['auto', 'dedicated', 'shared', 'inline'],
    'auto',
    'how actors are put on threads: one thread each, few threads, one thread, or chosen by the number of cores',
    important,
  ),
  logDir: text('', 'directory of a rotating log file; empty: the console only', { pattern: pathOrEmpty }),
  logLevel: oneOf(['trace', 'debug', 'info', 'warn', 'error'], 'info', 'least important level that is logged'),
  ringCapacityBytes: int(
    8_388_608,
    'bytes',
    'size of a ring between two actors; a message fits if it takes less than half',
    {
      defaultWords: '8388608, or the next power of two that takes the largest message',
      min: 65_536,
      max: 1_073_741_824,
      powerOfTwo: true,
    },
  ),
  maxInflight: int(16_384, 'count', 'requests inside the process at once, above which SYSTEM_BUSY is answered', {
    min: 1,
    max: 1_048_576,
  }),
  connectionsMax: int(20_000, 'count', 'connections at once, above which a new one is closed', {
    min: 1,
    max: 1_000_000,
  }),
  connectionOutboundBytesMax: int(33_554_432, 'bytes', 'unsent bytes at which a slow reader is disconnected', {
    min: 65_536,
  }),
  configStrict: bool(false, 'refuse unknown keys instead of warning'),
} satisfies KeyTable;

/** Keys of a broker process only. */
export const laneKeys = {
  lanesMax: int(({ cores }) => cores, 'count', 'threads of send lanes, and of pull lanes, at most', {
    defaultWords: 'cores',
    min: 1,
    max: 256,
    ...important,
  }),
  namesrvListenPort: int(0, 'port', 'port of a name server in the same process; 0: none', {
    max: 65_535,
    ...important,
  }),
  setAsideMaxBytes: long(
    1_073_741_824,
    'bytes',
    'of what a former master has beyond its successor: as much is set aside in a file without being asked; 0: nothing',
    { hot: true },
  ),
  otlpEndpoint: text(
    '',
    'address of an OpenTelemetry collector (OTLP/HTTP) that gets spans of messages their senders trace; empty: no spans',
    { pattern: httpAddressOrEmpty },
  ),
  otlpSampleRatio: int(100, 'percent', 'share of the traces that clients record in which this broker adds its spans', {
    min: 1,
    max: 100,
  }),
} satisfies KeyTable;

export type ThreadingMode = ValueOf<typeof processKeys.threadingMode>;
export type LogLevel = ValueOf<typeof processKeys.logLevel>;
