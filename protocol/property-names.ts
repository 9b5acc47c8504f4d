/** Names of message properties that the broker reads or writes. Source: spec remoting 5.2; MessageConst. */
export const MessageProperty = {
  KEYS: 'KEYS',
  TAGS: 'TAGS',
  WAIT: 'WAIT',
  DELAY: 'DELAY',
  RETRY_TOPIC: 'RETRY_TOPIC',
  REAL_TOPIC: 'REAL_TOPIC',
  REAL_QUEUE_ID: 'REAL_QID',
  TRANSACTION_PREPARED: 'TRAN_MSG',
  PRODUCER_GROUP: 'PGROUP',
  REPLY_TO_CLIENT: 'REPLY_TO_CLIENT',
  PUSH_REPLY_TIME: 'PUSH_REPLY_TIME',
  ORIGIN_MESSAGE_ID: 'ORIGIN_MESSAGE_ID',
  UNIQUE_KEY: 'UNIQ_KEY',
  TRANSACTION_CHECK_TIMES: 'TRANSACTION_CHECK_TIMES',
  /** Of a half message that was put back unasked: the queue offset at which its transaction knows it. */
  TRANSACTION_PREPARED_QUEUE_OFFSET: 'TRAN_PREPARED_QUEUE_OFFSET',
  /** How long the producer does not want to be asked. Units: seconds. */
  CHECK_IMMUNITY_TIME_IN_SECONDS: 'CHECK_IMMUNITY_TIME_IN_SECONDS',
} as const;
