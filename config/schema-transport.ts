/**
 * The keys of RocketMQ's NettyServerConfig and NettyClientConfig, in their order of declaration; `bindAddress` is of
 * RocketMQ 5.
 *
 * Source: spec/properties.md section 6.
 */

import { bool, int, type KeyTable, none, text } from './keys.js';
import { wordPattern } from './patterns.js';

const noThreads = none('one remoting actor serves all sockets');
const fewPushes = none('RingMQ sends clients few requests of its own; connectionOutboundBytesMax bounds them');
const noBufferSize = none('Node.js cannot set the buffers of a socket');
const noWaterMark = none('connectionOutboundBytesMax is the limit');
const noClient = none('connections a broker opens itself are few and have fixed settings');
const netty = none('it steers a Java library');

/** The transport of a server whose port is `listenPort` unless configured: a broker's 10911, a name server's 9876. */
export const nettyServerKeys = (listenPort: number) =>
  ({
    listenPort: int(
      listenPort,
      'port',
      'service port; a broker also uses the ports 2 below and 1 above it; 0: any free port',
      {
        max: 65_534,
      },
    ),
    serverWorkerThreads: int(8, 'count', 'threads that decode', noThreads),
    serverCallbackExecutorThreads: int(0, 'count', 'threads of the default executor', noThreads),
    serverSelectorThreads: int(3, 'count', 'threads of the sockets', noThreads),
    serverOnewaySemaphoreValue: int(256, 'count', 'one-way requests to clients at once', fewPushes),
    serverAsyncSemaphoreValue: int(64, 'count', 'asynchronous requests to clients at once', fewPushes),
    serverChannelMaxIdleTimeSeconds: int(120, 'seconds', 'silence after which a connection is closed', { min: 1 }),
    serverSocketSndBufSize: int(0, 'bytes', 'send buffer of a socket', noBufferSize),
    serverSocketRcvBufSize: int(0, 'bytes', 'receive buffer of a socket', noBufferSize),
    writeBufferHighWaterMark: int(0, 'bytes', 'outgoing bytes that make a connection unwritable', noWaterMark),
    writeBufferLowWaterMark: int(0, 'bytes', 'outgoing bytes that make it writable again', noWaterMark),
    serverSocketBacklog: int(1024, 'count', 'connections that may wait to be accepted', { min: 1, max: 65_535 }),
    serverPooledByteBufAllocatorEnable: bool(true, 'pool buffers', netty),
    useEpollNativeSelector: bool(false, 'use epoll through native code', netty),
    bindAddress: text('0.0.0.0', 'address to listen on', { pattern: wordPattern }),
  }) satisfies KeyTable;

export const nettyClientKeys = {
  clientWorkerThreads: int(4, 'count', 'threads that decode', noClient),
  clientCallbackExecutorThreads: int(({ cores }) => cores, 'count', 'threads of callbacks', {
    defaultWords: 'cores',
    ...noClient,
  }),
  clientOnewaySemaphoreValue: int(65_535, 'count', 'one-way requests at once', noClient),
  clientAsyncSemaphoreValue: int(65_535, 'count', 'asynchronous requests at once', noClient),
  connectTimeoutMillis: int(3000, 'ms', 'patience with a connection being opened', noClient),
  channelNotActiveInterval: int(60_000, 'ms', 'silence after which a connection is checked', noClient),
  clientChannelMaxIdleTimeSeconds: int(120, 'seconds', 'silence after which a connection is closed', noClient),
  clientSocketSndBufSize: int(0, 'bytes', 'send buffer of a socket', noBufferSize),
  clientSocketRcvBufSize: int(0, 'bytes', 'receive buffer of a socket', noBufferSize),
  clientPooledByteBufAllocatorEnable: bool(false, 'pool buffers', netty),
  clientCloseSocketIfTimeout: bool(true, 'close a connection whose answer did not come', noClient),
  useTLS: bool(false, 'encrypt connections', none('RingMQ has no TLS; connections are plain')),
} satisfies KeyTable;
