/**
 * What defaults may depend on: facts of the machine, handed in so that tests and documents can choose them.
 */

import os from 'node:os';

export interface Machine {
  /** Processors this process may use. */
  readonly cores: number;
  readonly homeDir: string;
  readonly hostName: string;
  /** The address {@link chooseLocalAddress} picks. */
  readonly localAddress: string;
}

/** The part of `os.networkInterfaces()` that the address rule reads. */
export type NetworkInterfaces = Readonly<
  Record<
    string,
    readonly { readonly address: string; readonly family: string; readonly internal: boolean }[] | undefined
  >
>;

/** The facts of the machine this process runs on. */
export function thisMachine(): Machine {
  return {
    cores: os.availableParallelism(),
    homeDir: os.homedir(),
    hostName: os.hostname(),
    localAddress: chooseLocalAddress(os.networkInterfaces()),
  };
}

// Docker's, libvirt's and plain Linux bridges: their addresses mean nothing outside this host.
const bridgeName = /^(docker\d+|br-[0-9a-f]+|br\d+|virbr\d+|lxcbr\d+|lxdbr\d+)$/;

/**
 * The address RocketMQ would advertise on a machine with these interfaces: the first IPv4 that is neither `127.0…` nor
 * `192.168…`, else the last IPv4, else the first IPv6, else `127.0.0.1`. Loopback and bridge interfaces are passed
 * over.
 *
 * Source: spec/properties.md section 9, RemotingUtil.getLocalAddress.
 */
export function chooseLocalAddress(interfaces: NetworkInterfaces): string {
  const usable = Object.entries(interfaces)
    .filter(([name]) => !bridgeName.test(name))
    .flatMap(([, addresses]) => addresses ?? [])
    .filter(address => !address.internal);
  const ipv4 = usable.filter(address => address.family === 'IPv4').map(address => address.address);
  const ipv6 = usable.filter(address => address.family === 'IPv6').map(address => address.address);
  const preferred = ipv4.find(address => !address.startsWith('127.0') && !address.startsWith('192.168'));
  return preferred ?? ipv4.at(-1) ?? ipv6[0] ?? '127.0.0.1';
}
