import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Machine } from '../../../config/index.js';

/** A machine that no test depends on by accident. */
export const machine: Machine = { cores: 8, homeDir: '/home/tester', hostName: 'host-1', localAddress: '10.0.0.1' };

/** The root of the package: above the built test, or where the test was started. */
export function packageRoot(): string {
  let folder = path.dirname(fileURLToPath(import.meta.url));
  while (!fs.existsSync(path.join(folder, 'config/standalone/broker.properties'))) {
    const parent = path.dirname(folder);
    if (parent === folder) return process.cwd();
    folder = parent;
  }
  return folder;
}

export const readText = (file: string): string => fs.readFileSync(path.resolve(packageRoot(), file), 'utf8');

/** The master's file of the article RingMQ answers: a two-machine cluster of RocketMQ 3.2.6. */
export const articleMaster = `brokerClusterName=DefaultCluster
brokerName=broker-a
brokerId=0
namesrvAddr=192.168.36.189:9876;192.168.36.54:9876
defaultTopicQueueNums=4
autoCreateTopicEnable=true
autoCreateSubscriptionGroup=true
listenPort=10911
deleteWhen=04
fileReservedTime=120
mapedFileSizeCommitLog=1073741824
mapedFileSizeConsumeQueue=50000000
destroyMapedFileIntervalForcibly=120000
redeleteHangedFileInterval=120000
diskMaxUsedSpaceRatio=88

storePathRootDir=/home/rocket/alibaba-rocketmq/data/store
storePathCommitLog=/home/rocket/alibaba-rocketmq/data/store/commitlog
maxMessageSize=65536
flushCommitLogLeastPages=4
flushConsumeQueueLeastPages=2
flushCommitLogThoroughInterval=10000
flushConsumeQueueThoroughInterval=60000

checkTransactionMessageEnable=false
sendMessageThreadPoolNums=128
pullMessageThreadPoolNums=128

brokerRole=SYNC_MASTER
flushDiskType=ASYNC_FLUSH
`;

export const articleSlave = articleMaster
  .replace('brokerId=0', 'brokerId=1')
  .replace('brokerRole=SYNC_MASTER', 'brokerRole=SLAVE');
