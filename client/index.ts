/**
 * A RocketMQ client for Node: producers, transactions, push and pull consumers, and a little administration. Tried with
 * RocketMQ 3.2.6, 4.9.7 and 5.3.3 brokers.
 *
 * @example
 * import { Producer, PullConsumer } from 'ringmq';
 *
 * const namesrvAddr = '127.0.0.1:9876';
 * const producer = new Producer({ namesrvAddr, producerGroup: 'hello-producers' });
 * const consumer = new PullConsumer({ namesrvAddr, consumerGroup: 'hello-consumers' });
 * await producer.start();
 * await consumer.start();
 *
 * const sent = await producer.send({ topic: 'Hello', tags: 'greeting', body: 'Hello, RingMQ' });
 * const { messages } = await consumer.pullBlockIfNotFound(sent.messageQueue, '*', sent.queueOffset);
 * console.log(messages[0]?.bodyText); // Hello, RingMQ
 *
 * await consumer.shutdown();
 * await producer.shutdown();
 */
export type {
  BrokerStatsData,
  BrokerStatsItem,
  ConsumeOffset,
  ConsumeStats,
  TopicOffset,
} from '../protocol/bodies/admin.js';
export type {
  Connection as GroupMember,
  ConsumerConnection,
  SubscriptionData,
  SubscriptionGroupConfig,
} from '../protocol/bodies/group.js';
export type { MessageQueue } from '../protocol/bodies/message-queue.js';
export type { BrokerData, ClusterInfo, QueueData, TopicRouteData } from '../protocol/bodies/route.js';
export type { TopicConfig } from '../protocol/bodies/topic.js';
export { Permission, RequestCode, ResponseCode } from '../protocol/codes.js';
export { createRequest, createResponse, type RemotingCommand } from '../protocol/command.js';
export type { BrokerAdmin, BrokerStatsName } from './admin/brokers.js';
export type { GroupAdmin } from './admin/groups.js';
export type { MessageAdmin, MessageQuery } from './admin/messages.js';
export type { NameServerAdmin } from './admin/name-servers.js';
export type { BrokerRoleName, RoleAdmin, RoleChange, RoleState } from './admin/roles.js';
export type { QueueStatus, TopicAdmin } from './admin/topics.js';
export { Admin, type AdminOptions, type CreateTopicOptions, type TopicPlace } from './admin.js';
export {
  type AllocateMessageQueueStrategy,
  allocateMessageQueueAveragely,
  allocateMessageQueueAveragelyByCircle,
} from './allocate-strategy.js';
export type { ClientOptions } from './client-instance.js';
export { Connection, type ConnectionOptions, type RequestHandler } from './connection.js';
export type { ErrorReporter } from './error-reporter.js';
export { type ClientErrorCode, clientErrorCodes, MQBrokerError, MQClientError, MQTimeoutError } from './errors.js';
export { type Message, MessageProperty } from './message.js';
export { decodeMessages, MessageExt, type MessageExtFields } from './message-ext.js';
export type {
  ConsumeConcurrentlyContext,
  ConsumeConcurrentlyStatus,
  ConsumeOrderlyContext,
  ConsumeOrderlyStatus,
  MessageListenerConcurrently,
  MessageListenerOrderly,
} from './message-listener.js';
export { NameRegistryClient, type NameRegistryClientOptions } from './name-registry-client.js';
export { Producer, type ProducerOptions } from './producer.js';
export { type ConsumeOptions, PullConsumer, type PullConsumerOptions } from './pull-consumer.js';
export type { PullResult, PullStatus } from './pull-result.js';
export { PushConsumer } from './push-consumer.js';
export type { ConsumeFromWhere, MessageModel, PushConsumerOptions } from './push-consumer-options.js';
export { createReplyMessage } from './request-reply.js';
export type { SendResult, SendStatus } from './send-result.js';
export type { SendOptions } from './sender.js';
export { MessageSelector } from './subscription.js';
export {
  type LocalTransactionChecker,
  type LocalTransactionExecutor,
  type LocalTransactionState,
  type TransactionContext,
  TransactionProducer,
  type TransactionProducerOptions,
  type TransactionSendOptions,
  type TransactionSendResult,
} from './transaction-producer.js';
export { createUniqKey, type MessageLocation, parseOffsetMsgId } from './unique-id.js';
