/**
 * The typed control plane: comlink over a MessagePort, tens of calls a minute. The only importer of comlink.
 *
 *   caller: post the message, count the knock, ring the actor's doorbell, in this order
 *   callee: blocked in Atomics.wait ── rung ── sees a knock it has not handled ── gives the event loop a turn
 *
 * The turn is needed: comlink answers in microtasks, which never run while a loop blocks. Draining the port with
 * receiveMessageOnPort spares nothing, for the answer still waits for the turn (both measured: about 0.15 ms a call).
 * Node's MessagePort is wrapped here rather than by comlink's node adapter, because the knock belongs into
 * `postMessage`.
 */
import { MessageChannel, type MessagePort } from 'node:worker_threads';
import * as comlink from 'comlink';
import { messageOf, RingError } from '../base/errors.js';
import { Doorbell } from '../memory/doorbell.js';
import { type ErrorRecord, fromErrorRecord, toErrorRecord } from './wire-errors.js';

/** Marks what a call hands over instead of copying, for example the port of a new ring. */
export const transfer = comlink.transfer;

// Errors keep their code and facts. comlink recognises a thrown value by a symbol of its own, so that part stays.
const thrownByComlink = comlink.transferHandlers.get('throw')!;
comlink.transferHandlers.set('throw', {
  canHandle: thrownByComlink.canHandle,
  serialize: thrown => [toErrorRecord((thrown as { value: unknown }).value), []],
  deserialize: record => {
    throw fromErrorRecord(record as ErrorRecord);
  },
});

/** One end of a control line; goes to the other thread in `workerData`, its port also in the transfer list. */
export interface ControlLine {
  readonly port: MessagePort;
  /** How often the caller knocked. Shape: one Int32. */
  readonly knocks: SharedArrayBuffer;
  /** The actor's doorbell, where it has one that blocks. */
  readonly bell?: SharedArrayBuffer;
}

/** A line to an actor on another thread; `bell` when that actor sleeps on one. */
export const openControlLine = (bell?: Doorbell): { readonly caller: ControlLine; readonly callee: ControlLine } => {
  const { port1, port2 } = new MessageChannel();
  const knocks = new SharedArrayBuffer(4);
  const shared = bell === undefined ? { knocks } : { knocks, bell: bell.memory };
  return { caller: { port: port1, ...shared }, callee: { port: port2, ...shared } };
};

type MessageListener = (event: { data: unknown }) => void;

/** comlink's view of a port; `onPost` runs after each message sent, `onReceive` before each one handled. */
const toComlink = (port: MessagePort, onPost: () => void, onReceive: () => void): comlink.Endpoint => {
  const listeners = new Map<unknown, (data: unknown) => void>();
  return {
    postMessage: (message, transferables = []) => {
      port.postMessage(message, transferables as unknown as MessagePort[]);
      onPost();
    },
    addEventListener: (_type, listener) => {
      const onMessage = (data: unknown): void => {
        onReceive();
        (listener as unknown as MessageListener)({ data });
      };
      listeners.set(listener, onMessage);
      port.on('message', onMessage);
    },
    removeEventListener: (_type, listener) => {
      const onMessage = listeners.get(listener);
      if (onMessage !== undefined) port.off('message', onMessage);
      listeners.delete(listener);
    },
    start: () => port.start(),
  };
};

/**
 * The actor's end: answers calls with the methods of `surface`. It keeps its thread alive until {@link close}.
 * An actor with an event loop does nothing more. One that blocks asks in each cycle, after reading its bell and before
 * waiting on it, and its methods answer at once or from within doWork.
 *
 * @example
 * for (;;) {
 *   const seen = bell.read();
 *   await endpoint.pump();
 *   if (doWork() === 0) bell.wait(seen, 1000);
 * }
 * // or around a loop that never yields by itself:
 * while (!stopped) {
 *   runBlocking(actors, { pump: () => !stopped && !endpoint.knocked(), ...options });
 *   await endpoint.turn();
 * }
 */
export class ControlEndpoint {
  readonly #port: MessagePort;
  readonly #knocks: Int32Array;
  #handled = 0;
  #unanswered = 0;
  #turned = false;

  constructor(line: ControlLine, surface: object) {
    this.#port = line.port;
    this.#knocks = new Int32Array(line.knocks);
    const onAnswered = (): void => {
      this.#unanswered--;
    };
    const onCalled = (): void => {
      this.#handled = (this.#handled + 1) | 0;
      this.#unanswered++;
    };
    this.#port.on('messageerror', () => {
      this.#handled = (this.#handled + 1) | 0;
    });
    comlink.expose(surface, toComlink(this.#port, onAnswered, onCalled));
  }

  /**
   * Does the event loop need a turn: is there a call not handled yet, or an answer that may be ready to leave? For the
   * latter it says so only once a cycle, so that a loop that stops for it still works in between.
   */
  knocked(): boolean {
    if (Atomics.load(this.#knocks, 0) !== this.#handled) return true;
    if (this.#unanswered > 0 && !this.#turned) return true;
    this.#turned = false;
    return false;
  }

  /** One turn of the event loop: calls are handled, answers leave. */
  turn(): Promise<void> {
    this.#turned = true;
    return new Promise(resolve => setImmediate(resolve));
  }

  /** Turns until every knock so far is handled, otherwise undefined at the price of one load. */
  pump(): Promise<void> | undefined {
    return this.knocked() ? this.#turnUntilHandled() : undefined;
  }

  /** From Node 22 on, a message that is there already may come a turn later than the first. */
  async #turnUntilHandled(): Promise<void> {
    do await this.turn();
    while (Atomics.load(this.#knocks, 0) !== this.#handled);
  }

  close(): void {
    this.#port.close();
  }
}

/** A surface as its caller sees it: every method answers with a promise. */
export type Remote<Surface> = {
  readonly [Method in keyof Surface as Surface[Method] extends (...args: never[]) => unknown
    ? Method
    : never]: Surface[Method] extends (...args: infer Args) => infer Result
    ? (...args: Args) => Promise<Awaited<Result>>
    : never;
};

export interface ControlCallerOptions {
  /** The actor's name, for errors. */
  readonly name: string;
  /** How long a call may take unless it says otherwise. Units: ms. */
  readonly deadlineMs?: number;
}

const DEADLINE_MS = 5000;

/** How a call reaches the surface. */
interface Transport {
  invoke(method: string, args: unknown[]): Promise<unknown>;
  /** Calls are waiting for answers, so the process must live. */
  hold(waiting: boolean): void;
  close(): void;
}

/**
 * The caller's end, the same for an actor on another thread ({@link connectControl}) and on this one
 * ({@link connectInline}).
 * Errors of calls: REQUEST_TIMEOUT after the deadline, ACTOR_CRASHED when the actor died, CONNECTION_CLOSED after
 * {@link close}, and whatever the method threw, rebuilt.
 */
export class ControlCaller<Surface extends object> {
  readonly name: string;
  /** The actor's methods with the usual deadline. */
  readonly remote: Remote<Surface>;
  readonly #transport: Transport;
  readonly #pending = new Set<(cause: Error) => void>();
  #ended: Error | undefined;

  constructor(transport: Transport, options: ControlCallerOptions) {
    this.name = options.name;
    this.#transport = transport;
    this.remote = this.within(options.deadlineMs ?? DEADLINE_MS);
  }

  /** The actor's methods with a deadline of their own. Units: ms. */
  within(deadlineMs: number): Remote<Surface> {
    const get = (_target: object, method: string | symbol): unknown => {
      // Not a thenable: a remote may be returned from an async function.
      if (typeof method === 'symbol' || method === 'then') return undefined;
      return (...args: unknown[]) => this.#call(method, args, deadlineMs);
    };
    return new Proxy({}, { get }) as Remote<Surface>;
  }

  /** The actor's thread died: all pending calls and all later ones are rejected with one cause. */
  fail(cause: unknown): void {
    const message = `${this.name} stopped: ${messageOf(cause)}`;
    this.#end(new RingError('ACTOR_CRASHED', message, { actor: this.name }, { cause }));
  }

  /** Ends the line from this side. */
  close(): void {
    this.#end(new RingError('CONNECTION_CLOSED', `the control line to ${this.name} was closed`, { actor: this.name }));
  }

  #end(cause: Error): void {
    if (this.#ended !== undefined) return;
    this.#ended = cause;
    for (const reject of [...this.#pending]) reject(cause);
    this.#transport.close();
  }

  #call(method: string, args: unknown[], deadlineMs: number): Promise<unknown> {
    if (this.#ended !== undefined) return Promise.reject(this.#ended);
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        this.#pending.delete(rejectCall);
        if (this.#pending.size === 0) this.#transport.hold(false);
      };
      const rejectCall = (cause: unknown): void => {
        settle();
        reject(cause);
      };
      const onDeadline = (): void => {
        const facts = { actor: this.name, method, deadlineMs };
        rejectCall(new RingError('REQUEST_TIMEOUT', `${this.name} did not answer ${method} in time`, facts));
      };
      const timer = setTimeout(onDeadline, deadlineMs);
      this.#pending.add(rejectCall);
      this.#transport.hold(true);
      this.#transport.invoke(method, args).then(value => {
        settle();
        resolve(value);
      }, rejectCall);
    });
  }
}

/**
 * Connects to an actor on another thread.
 *
 * @example
 * const { caller, callee } = openControlLine(bell);
 * const worker = new Worker(file, { workerData: { control: callee }, transferList: [callee.port] });
 * const writer = connectControl<WriterControl>(caller, { name: 'commit-log-writer' });
 * await writer.remote.drain();
 */
export const connectControl = <Surface extends object>(
  line: ControlLine,
  options: ControlCallerOptions,
): ControlCaller<Surface> => {
  const { port, knocks, bell } = line;
  const knocksWord = new Int32Array(knocks);
  const doorbell = bell === undefined ? undefined : new Doorbell(bell as SharedArrayBuffer);
  const knock = (): void => {
    Atomics.add(knocksWord, 0, 1);
    doorbell?.ring();
  };
  type Untyped = Record<string, (...args: unknown[]) => Promise<unknown>>;
  const remote = comlink.wrap<Untyped>(toComlink(port, knock, () => {})) as unknown as Untyped;
  port.unref();
  const caller = new ControlCaller<Surface>(
    {
      invoke: (method, args) => remote[method]!(...args),
      hold: waiting => (waiting ? port.ref() : port.unref()),
      close: () => port.close(),
    },
    options,
  );
  // The other end closes when its thread ends, however it ends; after our own close this changes nothing.
  port.on('close', () => caller.fail(new Error('its thread ended')));
  return caller;
};

/** The same for an actor on this thread: no port, no copy; the call runs after the caller's own turn. */
export const connectInline = <Surface extends object>(
  surface: Surface,
  options: ControlCallerOptions,
): ControlCaller<Surface> => {
  type Untyped = Record<string, (...args: unknown[]) => unknown>;
  const methods = surface as unknown as Untyped;
  const invoke = (method: string, args: unknown[]): Promise<unknown> =>
    Promise.resolve().then(() => methods[method]!(...args));
  return new ControlCaller<Surface>({ invoke, hold: () => {}, close: () => {} }, options);
};
