import { suite } from 'uvu';
import * as assert from 'uvu/assert';
import { chooseLocalAddress, thisMachine } from '../../../config/index.js';

const addresses = suite('config: the local address');

const ipv4 = (address: string) => ({ address, family: 'IPv4', internal: address.startsWith('127.') });
const ipv6 = (address: string) => ({ address, family: 'IPv6', internal: address === '::1' });
const loopback = { lo: [ipv4('127.0.0.1'), ipv6('::1')] };

addresses('an IPv4 address that is neither 127.0 nor 192.168 is preferred', () => {
  const interfaces = {
    ...loopback,
    eth0: [ipv6('fe80::1'), ipv4('192.168.1.2')],
    eth1: [ipv4('10.0.0.5'), ipv4('10.0.0.6')],
  };
  assert.is(chooseLocalAddress(interfaces), '10.0.0.5');
});

addresses('else the last IPv4 address is taken', () => {
  assert.is(
    chooseLocalAddress({ eth0: [ipv4('192.168.1.2')], eth1: [ipv4('192.168.2.2'), ipv6('fe80::1')] }),
    '192.168.2.2',
  );
});

addresses('else the first IPv6 address, else this host', () => {
  assert.is(chooseLocalAddress({ ...loopback, eth0: [ipv6('fe80::1'), ipv6('fe80::2')] }), 'fe80::1');
  assert.is(chooseLocalAddress(loopback), '127.0.0.1');
  assert.is(chooseLocalAddress({}), '127.0.0.1');
});

addresses('bridges of containers are passed over', () => {
  const interfaces = {
    docker0: [ipv4('172.17.0.1')],
    'br-0a1b2c3d4e5f': [ipv4('172.18.0.1')],
    eth0: [ipv4('192.168.1.2')],
  };
  assert.is(chooseLocalAddress(interfaces), '192.168.1.2');
});

addresses('this machine has a core, a home and an address', () => {
  const machine = thisMachine();
  assert.ok(machine.cores >= 1);
  assert.ok(machine.homeDir.length > 0);
  assert.match(machine.localAddress, /^[0-9a-f.:]+$/);
});

addresses.run();
